/* Credentials for subscription-manager(8) of Red Hat's guests. */
#pragma once

/* For --sm-register. */
struct subscription_credentials {
    char *user;
    char *password;
};

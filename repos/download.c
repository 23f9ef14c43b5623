#include "repos/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/str.h"
#include "repos/transfer.h"

static const uint64_t default_stall_ms = 60 * 1000;
static const uint64_t connect_timeout_ms = 30 * 1000;
enum { MAX_REDIRECTS = 5 };

/* What the callbacks share. */
struct attempt {
    struct transfer *transfer;
    CURL *curl;
    bool http;
    bool asked_for_range;
    bool began;            /* the first byte of the body was seen, or its absence made sure */
    uint64_t last_byte_ms; /* when something arrived last */
    uint64_t window_ms;    /* when the window began in which the speed is measured */
    uint64_t window_bytes; /* of the body, since then */
    bool stalled;
    bool slow;
    struct error *failure; /* of a callback, which stopped the transfer */
};

static uint64_t cap_of(const struct transfer *transfer)
{
    uint64_t max = transfer->options->max_size;
    return max ? max : UINT64_MAX;
}

static long response_code(const struct attempt *attempt)
{
    long code = 0;
    curl_easy_getinfo(attempt->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/* "Content-Range: bytes 100-199/200" or "bytes *\/200" (RFC 9110, section 14.4). False when there
 * is none that makes sense. An unknown start is UINT64_MAX, an unknown total 0. */
static bool content_range(const struct attempt *attempt, uint64_t *ret_start, uint64_t *ret_total)
{
    struct curl_header *header;
    unsigned long long start = 0, end = 0, total = 0;
    if (curl_easy_header(attempt->curl, "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return false;
    if (sscanf(header->value, "bytes */%llu", &total) == 1) {
        start = UINT64_MAX;
    } else {
        int count = sscanf(header->value, "bytes %llu-%llu/%llu", &start, &end, &total);
        if (count < 2 || end < start)
            return false;
        if (count == 2)
            total = 0;
    }
    *ret_start = start;
    *ret_total = total;
    return true;
}

static void too_large(struct attempt *attempt)
{
    const struct transfer *transfer = attempt->transfer;
    if (!attempt->failure)
        error_set(&attempt->failure, EFBIG, "%s: is larger than the %llu bytes allowed",
                  transfer->display, (unsigned long long)cap_of(transfer));
}

/* Keeps only the first `offset` bytes. */
static int restart_at(struct attempt *attempt, uint64_t offset)
{
    struct transfer *transfer = attempt->transfer;
    transfer->offset = offset;
    if (ftruncate(transfer->fd, (off_t)offset) == 0)
        return 0;
    return error_sys(&attempt->failure, errno, "%s: cannot empty the file for it",
                     transfer->display);
}

/* Before the first byte of a good answer's body: what part of the file is it? */
static int begin_body(struct attempt *attempt)
{
    struct transfer *transfer = attempt->transfer;
    uint64_t start = 0, total = 0;
    attempt->began = true;
    if (attempt->http && attempt->asked_for_range) {
        bool partial = response_code(attempt) == 206 && content_range(attempt, &start, &total);
        int r = partial && start == transfer->offset ? 0 : restart_at(attempt, 0);
        if (r == 0 && partial && start != 0 && transfer->offset == 0) {
            transfer->again = true;
            r = error_set(&attempt->failure, EPROTO,
                          "%s: the server sent another range than requested", transfer->display);
        }
        if (r < 0)
            return r;
    }
    if (total == 0) {
        curl_off_t length = -1;
        curl_easy_getinfo(attempt->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (length > 0 && !checked_add(transfer->offset, (uint64_t)length, &total))
            total = UINT64_MAX;
    }
    transfer->total = total;
    if (total > cap_of(transfer)) {
        too_large(attempt);
        return -EFBIG;
    }
    return 0;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *opaque)
{
    struct attempt *attempt = opaque;
    struct transfer *transfer = attempt->transfer;
    (void)one;
    attempt->last_byte_ms = clock_now_ms();
    /* The page that comes with an error is not the file. */
    if (attempt->http && response_code(attempt) >= 300)
        return count;
    if (!attempt->began && begin_body(attempt) < 0)
        return CURL_WRITEFUNC_ERROR;
    if (!range_within(transfer->offset, count, cap_of(transfer))) {
        too_large(attempt);
        return CURL_WRITEFUNC_ERROR;
    }
    if (fd_pwrite_full(transfer->fd, bytes, count, transfer->offset, transfer->display,
                       &attempt->failure) < 0)
        return CURL_WRITEFUNC_ERROR;
    transfer->offset += count;
    attempt->window_bytes += count;
    const struct download_options *options = transfer->options;
    if (options->task && transfer->offset != transfer->total)
        report_progress(options->reporter, options->task, transfer->offset, transfer->total);
    return count;
}

static uint64_t stall_limit(const struct download_options *options)
{
    return options->stall_ms ? options->stall_ms : default_stall_ms;
}

/* A server that sends a byte now and then is as good as none. Measured over as long a time as one
 * may send nothing, so that a pause does not count. */
static bool is_slow(struct attempt *attempt, uint64_t now)
{
    const struct download_options *options = attempt->transfer->options;
    uint64_t window = now - attempt->window_ms;
    if (options->min_speed == 0 || window < stall_limit(options))
        return false;
    /* No body arrives so fast that this overflows. */
    if (attempt->window_bytes * 1000 / window < options->min_speed)
        return true;
    attempt->window_ms = now;
    attempt->window_bytes = 0;
    return false;
}

/* Called about once a second, also while nothing arrives. */
static int on_tick(void *opaque, curl_off_t total, curl_off_t done, curl_off_t up_total,
                   curl_off_t up_now)
{
    struct attempt *attempt = opaque;
    uint64_t now = clock_now_ms();
    (void)total;
    (void)done;
    (void)up_total;
    (void)up_now;
    attempt->stalled = now - attempt->last_byte_ms > stall_limit(attempt->transfer->options);
    attempt->slow = !attempt->stalled && is_slow(attempt, now);
    return attempt->stalled || attempt->slow;
}

static int set_up(struct attempt *attempt, char *range, size_t range_size, char *message)
{
    const struct transfer *transfer = attempt->transfer;
    const struct download_options *options = transfer->options;
    CURL *curl = attempt->curl;
    CURLcode r = curl_easy_setopt(curl, CURLOPT_URL, transfer->uri);
#define SET(option, value)                                                                         \
    if (r == CURLE_OK)                                                                             \
    r = curl_easy_setopt(curl, option, value)
    SET(CURLOPT_ERRORBUFFER, message);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https,ftp");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    SET(CURLOPT_USERAGENT, "kiln/" KILN_VERSION);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)min_u64(stall_limit(options), connect_timeout_ms));
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, attempt);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, on_tick);
    SET(CURLOPT_XFERINFODATA, attempt);
    if (options->proxy && strcmp(options->proxy, "no") == 0) {
        SET(CURLOPT_PROXY, "");
    } else if (options->proxy && strcmp(options->proxy, "system") != 0) {
        SET(CURLOPT_PROXY, options->proxy);
    }
    if (attempt->asked_for_range && attempt->http) {
        /* CURLOPT_RESUME_FROM would fail where the server answers with the whole file. */
        snprintf(range, range_size, "%llu-", (unsigned long long)transfer->offset);
        SET(CURLOPT_RANGE, range);
    } else if (attempt->asked_for_range) {
        SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)transfer->offset);
    }
#undef SET
    return r == CURLE_OK ? 0 : -EINVAL;
}

/* Answers that are complete as HTTP, but not what was asked for. */
static int judge_status(struct attempt *attempt, long status, struct error **err)
{
    struct transfer *transfer = attempt->transfer;
    const char *uri = transfer->display;
    uint64_t start = 0, total = 0;
    if (status == 416 && attempt->asked_for_range) {
        /* Nothing behind what is there: it is complete, or it is something else. */
        if (content_range(attempt, &start, &total) && total == transfer->offset) {
            transfer->total = total;
            return 0;
        }
        int r = restart_at(attempt, 0);
        transfer->again = true;
        if (r < 0)
            return error_move(err, TAKE_PTR(attempt->failure));
        return error_set(err, EAGAIN, "%s: the file is shorter than what was fetched before", uri);
    }
    if (status == 404 || status == 410)
        return error_set(err, ENOENT, "%s: not found (HTTP status %ld)", uri, status);
    if (status == 401 || status == 403 || status == 407)
        return error_set(err, EACCES, "%s: the server denies access (HTTP status %ld)", uri,
                         status);
    transfer->again = status >= 500 || status == 408 || status == 429;
    return error_set(err, EIO, "%s: the server answers with HTTP status %ld", uri, status);
}

static const struct {
    CURLcode code;
    int errnum;
    bool again;
} curl_errors[] = {
    {CURLE_UNSUPPORTED_PROTOCOL, EPROTO, false},
    {CURLE_URL_MALFORMAT, EINVAL, false},
    {CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH, true},
    {CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, true},
    {CURLE_COULDNT_CONNECT, ECONNREFUSED, true},
    {CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, true},
    {CURLE_TOO_MANY_REDIRECTS, ELOOP, false},
    {CURLE_GOT_NOTHING, EIO, true},
    {CURLE_PARTIAL_FILE, EIO, true},
    {CURLE_SEND_ERROR, EIO, true},
    {CURLE_RECV_ERROR, EIO, true},
    {CURLE_HTTP2, EIO, true},
    {CURLE_HTTP2_STREAM, EIO, true},
    {CURLE_SSL_CONNECT_ERROR, EIO, true},
    {CURLE_FTP_CANT_GET_HOST, EIO, true},
    {CURLE_REMOTE_FILE_NOT_FOUND, ENOENT, false},
    {CURLE_REMOTE_ACCESS_DENIED, EACCES, false},
    {CURLE_LOGIN_DENIED, EACCES, false},
};

static int judge_curl(struct attempt *attempt, CURLcode code, const char *message,
                      struct error **err)
{
    struct transfer *transfer = attempt->transfer;
    int errnum = EIO;
    /* FTP cannot go on from there: the file is shorter, or the server knows no REST. */
    if (code == CURLE_BAD_DOWNLOAD_RESUME || code == CURLE_FTP_COULDNT_USE_REST) {
        transfer->again = true;
        if (restart_at(attempt, 0) < 0)
            return error_move(err, TAKE_PTR(attempt->failure));
        return error_set(err, EAGAIN, "%s: cannot be resumed", transfer->display);
    }
    for (size_t i = 0; i < ARRAY_SIZE(curl_errors); i++) {
        if (curl_errors[i].code == code) {
            errnum = curl_errors[i].errnum;
            transfer->again = curl_errors[i].again;
        }
    }
    /* So it calls a line of the headers that is longer than it takes (CURL_MAX_HTTP_HEADER). */
    if (code == CURLE_OUT_OF_MEMORY)
        return error_set(err, EPROTO,
                         "%s: the server sends a header that is too long, or libcurl has no memory",
                         transfer->display);
    _cleanup_free_ char *printable = str_printable(*message ? message : curl_easy_strerror(code));
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return error_set(err, errnum, "%s: redirects more than %d times", transfer->display,
                         MAX_REDIRECTS);
    if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        return error_set(err, errnum, "%s: the connection broke after %llu bytes (%s)",
                         transfer->display, (unsigned long long)transfer->offset,
                         printable ? printable : "?");
    return error_set(err, errnum, "%s: %s", transfer->display, printable ? printable : "?");
}

static int perform(struct attempt *attempt, struct error **err)
{
    struct transfer *transfer = attempt->transfer;
    char message[CURL_ERROR_SIZE] = "", range[32];
    if (set_up(attempt, range, sizeof(range), message) < 0)
        return error_set(err, EINVAL, "%s: libcurl rejects it: %s", transfer->display, message);
    attempt->last_byte_ms = attempt->window_ms = clock_now_ms();
    CURLcode code = curl_easy_perform(attempt->curl);
    if (attempt->failure)
        return error_move(err, TAKE_PTR(attempt->failure));
    if (attempt->stalled) {
        transfer->again = true;
        return error_set(err, ETIMEDOUT, "%s: nothing arrived for %llu s", transfer->display,
                         (unsigned long long)(clock_now_ms() - attempt->last_byte_ms) / 1000);
    }
    if (attempt->slow) {
        uint64_t speed = transfer->options->min_speed;
        transfer->again = true;
        error_set(err, ETIMEDOUT, "%s: only %llu bytes arrived in %llu s, less than %llu a second",
                  transfer->display, (unsigned long long)attempt->window_bytes,
                  (unsigned long long)(clock_now_ms() - attempt->window_ms) / 1000,
                  (unsigned long long)speed);
        return error_hint(err, "use --min-speed 0 to wait all the same");
    }
    if (code != CURLE_OK)
        return judge_curl(attempt, code, message, err);
    long status = response_code(attempt);
    if (attempt->http && (status < 200 || status >= 300))
        return judge_status(attempt, status, err);
    /* An empty body calls no callback. Over FTP, it is what a complete file leaves to fetch. */
    bool was_complete = !attempt->http && attempt->asked_for_range;
    if (!attempt->began && !was_complete && begin_body(attempt) < 0)
        return error_move(err, TAKE_PTR(attempt->failure));
    return 0;
}

int transfer_attempt(struct transfer *transfer, struct error **err)
{
    struct attempt attempt = {
        .transfer = transfer,
        .curl = curl_easy_init(),
        .http = strncasecmp(transfer->uri, "http", 4) == 0,
        .asked_for_range = transfer->offset > 0,
    };
    transfer->again = false;
    if (!attempt.curl)
        return error_oom(err);
    int r = perform(&attempt, err);
    curl_easy_cleanup(attempt.curl);
    error_free(attempt.failure);
    return r;
}

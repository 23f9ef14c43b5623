#!/usr/bin/python3
"""What cloud-init makes of documents, without a boot: for each file named, its name and a verdict.

    cloudinit_verdicts.py user-data DIR FILE...     "fine", or "dropped" with what its log says
    cloudinit_verdicts.py network-config DIR FILE...
        "fine", "nothing" (no renderer sets up a device), or "some" and the renderers that fail
DIR is an empty folder to write into."""
import logging
import os
import shutil
import sys

from cloudinit import handlers, helpers, util
from cloudinit.distros import rhel
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.handlers.jinja_template import JinjaTemplatePartHandler
from cloudinit.handlers.shell_script import ShellScriptPartHandler
from cloudinit.handlers.shell_script_by_frequency import ShellScriptByFreqPartHandler
from cloudinit.net import network_state
from cloudinit.net.eni import Renderer as Eni
from cloudinit.net.network_manager import Renderer as NetworkManager
from cloudinit.net.networkd import Renderer as Networkd
from cloudinit.net.sysconfig import Renderer as Sysconfig
from cloudinit.settings import PER_ALWAYS, PER_INSTANCE, PER_ONCE
from cloudinit.user_data import UserDataProcessor


class Log(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage().replace("\n", " ")[:150])


class Hook(handlers.Handler):
    """Stands for the boothook's handler, which would run the script."""
    prefixes = ["#cloud-boothook"]

    def handle_part(self, *_args, **_kwargs):
        pass


def user_data(path, folder):
    paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
    os.makedirs(folder + "/instance/scripts", exist_ok=True)
    os.makedirs(folder + "/handlers", exist_ok=True)
    with open(folder + "/instance-data-sensitive.json", "w") as out:
        out.write("{}")
    paths.get_ipath = lambda name=None: folder + "/instance/" + (name or "")
    parts = [CloudConfigPartHandler(paths=paths), ShellScriptPartHandler(paths=paths)]
    parts += [ShellScriptByFreqPartHandler(f, paths=paths) for f in (PER_ALWAYS, PER_INSTANCE, PER_ONCE)]
    parts += [Hook(PER_ALWAYS), JinjaTemplatePartHandler(paths=paths, sub_handlers=parts[:2])]
    known = helpers.ContentHandlers()
    for part in parts:
        known.register(part)
    with open(path, "rb") as raw:
        message = UserDataProcessor(paths).process(raw.read())
    data = {"handlers": known, "handlerdir": folder + "/handlers", "data": None,
            "frequency": PER_INSTANCE, "handlercount": 0, "excluded": []}
    for part in parts:
        handlers.call_begin(part, None, PER_INSTANCE)
    handlers.walk(message, handlers.walker_callback, data)
    return "fine" if any(True for p in message.walk() if p.get_content_maintype() != "multipart") else "dropped: no part"


def network_config(path, folder):
    with open(path) as text:
        config = util.load_yaml(text.read())
    if config and "network" in config:
        config = config["network"]
    if isinstance(config, dict) and config.get("config") == "disabled":
        return "fine"
    failed = []
    for renderer in (Eni, Sysconfig, NetworkManager, Networkd):
        name = renderer.__module__.rsplit(".", 1)[-1]
        try:
            settings = rhel.Distro.renderer_configs["sysconfig"] if renderer is Sysconfig else None
            state = network_state.parse_net_config_data(config, renderer=renderer(settings))
            devices = [i["name"] for i in state.iter_interfaces() if i["name"] != "lo"]
            target = folder + "/" + name
            os.makedirs(target)
            renderer(settings).render_network_state(state, target=target)
            if not devices:
                failed.append(name)
        except Exception:
            failed.append(name)
    if not failed:
        return "fine"
    return "nothing" if len(failed) == 4 else "some: " + " ".join(failed)


def main():
    kind, folder, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    network_state.get_interfaces_by_mac = lambda: {"52:54:00:aa:bb:cc": "eth0"}
    network_state.find_interface_name_from_mac = lambda mac: None
    util.chownbyname = lambda *args, **kwargs: None
    log = Log()
    for handler in list(logging.getLogger().handlers):
        logging.getLogger().removeHandler(handler)
    logging.getLogger().addHandler(log)
    logging.getLogger().setLevel(logging.WARNING)
    for number, name in enumerate(names):
        log.lines = []
        place = "%s/%d" % (folder, number)
        os.makedirs(place)
        try:
            verdict = user_data(name, place) if kind == "user-data" else network_config(name, place)
        except Exception as error:
            verdict = "dropped: %r" % error
        if kind == "user-data" and log.lines:
            verdict = "dropped: " + log.lines[0]
        print(os.path.basename(name), verdict)
        shutil.rmtree(place)


main()

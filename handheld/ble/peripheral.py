#!/usr/bin/python3
"""A Bluetooth LE scanner made of BlueZ: Nordic UART and a battery, for the hardware lab.

Arguments: adapter, name, flags of the characteristic that takes the verdict, percent of its battery.
Standard input: `notify HEX`, `hang on|off`, `drop`, `power on|off`. Standard output: one JSON object a line.
"""
import json
import sys
import time

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

ADAPTER, NAME, WRITE_FLAGS, PERCENT = sys.argv[1], sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])
UART = "6e40000%d-b5a3-f393-e0a9-e50e24dcca9e"
PROPERTIES = "org.freedesktop.DBus.Properties"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
ROOT = "/lab/" + NAME.replace("-", "_")
# What a link can carry in a notification before its MTU is greater.
NOTIFICATION_BYTES = 20
ADAPTER_TRIES = 300

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
state = {"hangs": False}


def tell(**event):
    print(json.dumps(event), flush=True)


class Exported(dbus.service.Object):
    def __init__(self, path, interface, properties):
        self.path, self.interface = path, interface
        self.properties = dbus.Dictionary(properties, signature="sv")
        super().__init__(bus, path)

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, _interface):
        return self.properties

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass


class Characteristic(Exported):
    def __init__(self, path, service, uuid, flags):
        super().__init__(
            path,
            CHARACTERISTIC,
            {"Service": dbus.ObjectPath(service), "UUID": uuid, "Flags": dbus.Array(flags, signature="s")},
        )

    @dbus.service.method(CHARACTERISTIC, in_signature="a{sv}", out_signature="ay")
    def ReadValue(self, _options):
        return dbus.Array([PERCENT], signature="y")

    @dbus.service.method(CHARACTERISTIC, in_signature="aya{sv}", async_callbacks=("done", "_failed"))
    def WriteValue(self, value, _options, done, _failed):
        tell(event="write", hex=bytes(value).hex())
        # Without this the other side waits for its response forever.
        if not state["hangs"]:
            done()

    @dbus.service.method(CHARACTERISTIC)
    def StartNotify(self):
        tell(event="subscribed")

    @dbus.service.method(CHARACTERISTIC)
    def StopNotify(self):
        tell(event="unsubscribed")

    def notify(self, data):
        for at in range(0, len(data), NOTIFICATION_BYTES):
            part = dbus.Array(data[at : at + NOTIFICATION_BYTES], signature="y")
            self.PropertiesChanged(CHARACTERISTIC, {"Value": part}, [])


class Application(dbus.service.Object):
    @dbus.service.method("org.freedesktop.DBus.ObjectManager", out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {each.path: {each.interface: each.properties} for each in exported}


class Advertisement(Exported):
    @dbus.service.method("org.bluez.LEAdvertisement1")
    def Release(self):
        pass


uart = Exported(ROOT + "/s0", SERVICE, {"UUID": UART % 1, "Primary": True})
rx = Characteristic(ROOT + "/s0/c0", uart.path, UART % 2, WRITE_FLAGS)
tx = Characteristic(ROOT + "/s0/c1", uart.path, UART % 3, ["notify"])
battery = Exported(ROOT + "/s1", SERVICE, {"UUID": "180f", "Primary": True})
level = Characteristic(ROOT + "/s1/c0", battery.path, "2a19", ["read"])
exported = [uart, rx, tx, battery, level]
application = Application(bus, ROOT)
advertisement = Advertisement(
    ROOT + "/a0",
    "org.bluez.LEAdvertisement1",
    {"Type": "peripheral", "ServiceUUIDs": dbus.Array([UART % 1], signature="s"), "LocalName": NAME},
)


def managed():
    manager = dbus.Interface(bus.get_object("org.bluez", "/"), "org.freedesktop.DBus.ObjectManager")
    return manager.GetManagedObjects()


# bluetoothd has its name before it has its adapters.
for _ in range(ADAPTER_TRIES):
    if "org.bluez.LEAdvertisingManager1" in managed().get("/org/bluez/" + ADAPTER, {}):
        break
    time.sleep(0.2)
adapter = bus.get_object("org.bluez", "/org/bluez/" + ADAPTER)


def power(is_on):
    dbus.Interface(adapter, PROPERTIES).Set("org.bluez.Adapter1", "Powered", is_on)


def ask(interface, method, path, then):
    def failed(error):
        tell(event="failed", what=method, why=str(error))
        sys.exit(1)

    getattr(dbus.Interface(adapter, interface), method)(path, {}, reply_handler=then, error_handler=failed)


def advertise():
    ask("org.bluez.LEAdvertisingManager1", "RegisterAdvertisement", advertisement.path, lambda: tell(event="ready"))


def drop():
    for path, interfaces in managed().items():
        device = interfaces.get("org.bluez.Device1", {})
        if path.startswith("/org/bluez/" + ADAPTER + "/") and device.get("Connected"):
            dbus.Interface(bus.get_object("org.bluez", path), "org.bluez.Device1").Disconnect()
    tell(event="dropped")


def obey(source, _condition):
    line = source.readline()
    if not line:
        loop.quit()
        return False
    word, _, rest = line.strip().partition(" ")
    if word == "notify":
        tx.notify(bytes.fromhex(rest))
    elif word == "hang":
        state["hangs"] = rest == "on"
    elif word == "drop":
        drop()
    elif word == "power":
        power(rest == "on")
        tell(event="power", on=rest == "on")
    return True


loop = GLib.MainLoop()
power(True)
ask("org.bluez.GattManager1", "RegisterApplication", ROOT, advertise)
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, obey)
loop.run()

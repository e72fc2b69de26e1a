"""The list of checks, and what each needs."""

from nsroom.doctor.checks.acknowledgements import ack, handlers
from nsroom.doctor.checks.admin import admin
from nsroom.doctor.checks.cors import cors
from nsroom.doctor.checks.handshake import allowed, http, path, redirect
from nsroom.doctor.checks.liveness import heartbeat, payload, soak
from nsroom.doctor.checks.namespaces import auth, middleware, namespace, parser, recovery
from nsroom.doctor.checks.network import dns, tcp, tls
from nsroom.doctor.checks.platforms import platform
from nsroom.doctor.checks.transports import polling, sticky, transports, upgrade, websocket
from nsroom.doctor.checks.versions import allow_eio3, version
from nsroom.doctor.runner import Check


def checks(soaking: float = 0.0) -> tuple[Check, ...]:
    """Give all checks in their order, each behind those that it needs."""
    return (
        Check("dns", dns),
        Check("tcp", tcp, ("dns",)),
        Check("tls", tls, ("tcp",)),
        Check("http", http, ("tls",), 12.0),
        Check("platform", platform, ("http",)),
        Check("redirect", redirect, ("http",)),
        Check("path", path, ("redirect",), 10.0),
        Check("handshake", allowed, ("path",)),
        Check("version", version, ("handshake",)),
        Check("allow-eio3", allow_eio3, ("version",)),
        Check("transports", transports, ("version",)),
        Check("websocket", websocket, ("transports",)),
        Check("sticky", sticky, ("transports",)),
        Check("polling", polling, ("sticky",)),
        Check("upgrade", upgrade, ("sticky",)),
        Check("cors", cors, ("version",)),
        Check("parser", parser, ("version",)),
        Check("namespace", namespace, ("parser",), 10.0),
        Check("middleware", middleware, ("parser",)),
        Check("auth", auth, ("namespace",)),
        Check("recovery", recovery, ("namespace", "auth", "middleware")),
        Check("heartbeat", heartbeat, ("version",), 9.0),
        Check("soak", soak, ("version",), soaking + 8.0),
        Check("payload", payload, ("sticky",)),
        Check("ack", ack, ("namespace", "auth", "middleware"), 9.0),
        Check("handlers", handlers, ("namespace", "auth", "middleware"), 9.0),
        Check("admin", admin, ("parser",)),
    )

"""All checks, and what each depends on."""

from nsroom.doctor.checks.acknowledgements import check_ack, check_handlers
from nsroom.doctor.checks.admin import check_admin
from nsroom.doctor.checks.cors import check_cors
from nsroom.doctor.checks.handshake import check_handshake, check_http, check_path, check_redirect
from nsroom.doctor.checks.liveness import check_disconnect, check_heartbeat, check_payload, check_soak
from nsroom.doctor.checks.namespaces import (
    check_auth,
    check_middleware,
    check_namespace,
    check_parser,
    check_recovery,
)
from nsroom.doctor.checks.network import check_dns, check_tcp, check_tls
from nsroom.doctor.checks.platforms import check_platform
from nsroom.doctor.checks.transports import (
    check_polling,
    check_sticky,
    check_transports,
    check_upgrade,
    check_websocket,
)
from nsroom.doctor.checks.versions import check_allow_eio3, check_version
from nsroom.doctor.runner import Check


def all_checks(soak: float = 0.0) -> tuple[Check, ...]:
    """Return all checks in order, each after the checks it depends on; `soak` is in seconds."""
    return (
        Check("dns", check_dns),
        Check("tcp", check_tcp, ("dns",)),
        Check("tls", check_tls, ("tcp",)),
        Check("http", check_http, ("tls",), 12.0),
        Check("platform", check_platform, ("http",)),
        Check("redirect", check_redirect, ("http",)),
        Check("path", check_path, ("redirect",), 10.0),
        Check("handshake", check_handshake, ("path",)),
        Check("version", check_version, ("handshake",)),
        Check("allow-eio3", check_allow_eio3, ("version",)),
        Check("transports", check_transports, ("version",)),
        Check("websocket", check_websocket, ("transports",)),
        Check("sticky", check_sticky, ("transports",)),
        Check("polling", check_polling, ("sticky",)),
        Check("upgrade", check_upgrade, ("sticky",)),
        Check("cors", check_cors, ("version",)),
        Check("parser", check_parser, ("version",)),
        Check("namespace", check_namespace, ("parser",), 10.0),
        Check("middleware", check_middleware, ("parser",)),
        Check("auth", check_auth, ("namespace",)),
        Check("recovery", check_recovery, ("namespace", "auth", "middleware")),
        Check("heartbeat", check_heartbeat, ("version",), 9.0),
        Check("soak", check_soak, ("version",), soak + 8.0),
        Check("payload", check_payload, ("sticky",)),
        Check("admin", check_admin, ("parser",)),
        Check("disconnect", check_disconnect, ("namespace", "auth", "middleware")),
        # Last: an event may make the server fail, which must not spoil other checks.
        Check("ack", check_ack, ("disconnect",), 9.0, is_last=True),
        Check("handlers", check_handlers, ("disconnect",), 9.0, is_last=True),
    )

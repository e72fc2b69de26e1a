"""Error messages of clients, browsers and servers lead to their causes, and other text to none."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.doctor.client_errors import known_errors, look_up
from tests.peers.program import Runner

WEBSOCKET = "WebSocket connection to 'wss://example.org/socket.io/?EIO=4&transport=websocket&sid=x' failed: "
ACCESS = (
    "Access to XMLHttpRequest at 'http://a/socket.io/?EIO=4' from origin "
    "'http://b' has been blocked by CORS policy: "
)


@pytest.mark.parametrize("words", sorted({words for error in known_errors() for words in error.words}))
def test_each_message_finds_its_error_first(words: str) -> None:
    assert words in look_up(words)[0].error.words


def test_no_message_belongs_to_two_errors() -> None:
    words = [words.lower() for error in known_errors() for words in error.words]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("xhr pol eror", "xhr poll error"),
        ("Error: xhr poll error", "xhr poll error"),
        ("connect_error due to xhr poll error", "xhr poll error"),
        ("websocket eror", "websocket error"),
        ("TRANSPORT CLOSE", "transport close"),
        ("disconnected: tranport close", "transport close"),
        ("ECONNREFUSD", "ECONNREFUSED"),
        ('{"code":1,"message":"Session ID unknown"}', "Session ID unknown"),
        ('{"code":3,"message":"Bad request"}', "code 3 message bad request"),
        ("connect ECONNREFUSED ::1:3000", "ECONNREFUSED"),
        ("One or more namespaces failed to connect: /", "Invalid namespace"),
        ("io.socket.engineio.client.EngineIOException: websocket error", "websocket error"),
        ("Error: timeout", "timeout"),
        ("connect_error: Forbidden", "Forbidden"),
        ("Uncaught (in promise) Error: unauthorized", "unauthorized"),
    ],
)
def test_messages_with_prefixes_and_typing_errors(typed: str, words: str) -> None:
    assert words in look_up(typed)[0].error.words


@pytest.mark.parametrize(
    ("typed", "cause"),
    [
        # Node, TLS
        ("Error: self signed certificate in certificate chain", "authority that the client does not know"),
        (
            "Error: self-signed certificate in certificate chain\n  code: 'SELF_SIGNED_CERT_IN_CHAIN'",
            "authority",
        ),
        ("Error: self-signed certificate; code: 'DEPTH_ZERO_SELF_SIGNED_CERT'", "is self-signed"),
        ("unable to verify the first certificate", "fullchain.pem"),
        ("{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }", "fullchain.pem"),
        (
            "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames",
            "another name",
        ),
        ("certificate has expired", "renew it"),
        (
            "write EPROTO 140735:error:1408F10B:SSL "
            "routines:ssl3_get_record:wrong version number:../deps/x.c:332:",
            "plain HTTP",
        ),
        (
            "Client network socket disconnected before secure TLS connection was established",
            "speaks plain HTTP",
        ),
        # Node, network
        ("Error: read ECONNRESET\n    at TLSWrap.onStreamRead", "closed the connection"),
        ("Error: socket hang up", "closed the connection"),
        ("Error: connect ETIMEDOUT 10.0.0.1:443", "firewall"),
        ("Error: getaddrinfo ENOTFOUND no.example", "no address"),
        ("Error: connect EHOSTUNREACH 10.0.0.1:3000", "no way to that address"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "another program"),
        ("Error: listen EACCES: permission denied 0.0.0.0:80", "below 1024"),
        # ws
        ("Error: Unexpected server response: 502", "does not reach the application"),
        ("Error: Unexpected server response: 400", "Upgrade header"),
        ("RangeError: Invalid WebSocket frame: RSV1 must be clear", "compressed frames"),
        ("Error: Invalid WebSocket frame: invalid UTF-8 sequence", "not UTF-8"),
        ("RangeError: Max payload size exceeded", "maxHttpBufferSize"),
        ("Error: WebSocket is not open: readyState 0 (CONNECTING)", "before it is connected"),
        # Chrome
        (f"{WEBSOCKET}Error during WebSocket handshake: Unexpected response code: 404", "path differs"),
        (f"{WEBSOCKET}Error during WebSocket handshake: Unexpected response code: 400", "Upgrade header"),
        (f"{WEBSOCKET}Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID", "authority"),
        (f"{WEBSOCKET}Error in connection establishment: net::ERR_CONNECTION_REFUSED", "nothing listens"),
        (f"{WEBSOCKET}WebSocket is closed before the connection is established.", "StrictMode"),
        (
            f"{WEBSOCKET}One or more reserved bits are on: reserved1 = 1, reserved2 = 0, reserved3 = 0",
            "compress",
        ),
        (f"{WEBSOCKET}Could not decode a text frame as UTF-8.", "UTF-8"),
        (f"{WEBSOCKET}Invalid frame header", "same socket"),
        (f"{WEBSOCKET}HTTP Authentication failed; no valid credentials available", "password"),
        (f"{ACCESS}No 'Access-Control-Allow-Origin' header is present on the requested resource.", "cors: {"),
        (
            f"{ACCESS}The 'Access-Control-Allow-Origin' header contains multiple "
            f"values '*, *', but only one is allowed.",
            "sent twice",
        ),
        (
            f"{ACCESS}The value of the 'Access-Control-Allow-Origin' header in "
            f"the response must not be the wildcard "
            "'*' when the request's credentials mode is 'include'.",
            "withCredentials",
        ),
        (
            "Mixed Content: The page at 'https://a/' was loaded over HTTPS, but "
            "attempted to connect to the insecure "
            "WebSocket endpoint 'ws://a/'. This request has been blocked; this "
            "endpoint must be available over WSS.",
            "only https://",
        ),
        (
            "Refused to connect to 'ws://a/' because it violates the following "
            "Content Security Policy directive",
            "connect-src",
        ),
        (
            "GET http://localhost:3000/socket.io/?EIO=4&transport=polling&t=x net::ERR_BLOCKED_BY_CLIENT",
            "blocker",
        ),
        # Firefox, Safari
        ("Firefox can’t establish a connection to the server at ws://localhost:3000/socket.io/.", "Upgrade"),
        (
            "Cross-Origin Request Blocked: The Same Origin Policy disallows "
            "reading the remote resource at http://a. "
            "(Reason: CORS header ‘Access-Control-Allow-Origin’ missing). Status code: 200.",
            "cors: {",
        ),
        ("Origin http://b is not allowed by Access-Control-Allow-Origin. Status code: 200", "cors: {"),
        ("XMLHttpRequest cannot load http://a/ due to access control checks.", "cors: {"),
        ("Secure Connection Failed SEC_ERROR_UNKNOWN_ISSUER", "authority"),
        ("[blocked] The page at https://a requested insecure content from http://b", "only https://"),
        # Python
        (
            "The WebSocket transport is not available, you must install a "
            "WebSocket server that is compatible with "
            "your async mode to enable it. See the documentation for details. "
            "(further occurrences of this error "
            "will be logged with level INFO)",
            "install",
        ),
        (
            "http://localhost:8080 is not an accepted origin. (further occurrences of this error …)",
            "cors_allowed",
        ),
        ("ValueError: Too many packets in payload", "16 packets"),
        ("websocket-client package not installed, only polling transport is available", "pip install"),
        ("AttributeError: module 'websocket' has no attribute 'create_connection'", "websocket-client"),
        ("RuntimeError: Cannot obtain socket from WSGI environment", "gunicorn"),
        ("socketio.exceptions.BadNamespaceError: / is not a connected namespace.", "namespace"),
        (
            "socketio.exceptions.ConnectionError: Unexpected status code 404 in server response",
            "path differs",
        ),
        (
            "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "Hostname mismatch, certificate is not valid for 'a' (_ssl.c:1006)",
            "another name",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
            "unable to get local issuer certificate",
            "fullchain.pem",
        ),
        ("TypeError: Object of type datetime is not JSON serializable", "datetime"),
        # websocket-client, aiohttp
        ("websocket._exceptions.WebSocketBadStatusException: Handshake status 403 Forbidden", "allowRequest"),
        ("WebSocketConnectionClosedException: Connection to remote host was lost.", "closed the connection"),
        ("aiohttp.client_exceptions.ServerDisconnectedError: Server disconnected", "closed the connection"),
        (
            "Cannot connect to host a:443 ssl:default [Connect call failed ('1.2.3.4', 443)]",
            "nothing listens",
        ),
        (
            "aiohttp.client_exceptions.WSServerHandshakeError: 400, message='Invalid response status'",
            "Upgrade",
        ),
        # Servers
        ("RangeError: Maximum call stack size exceeded\n    at hasBinary (is-binary.js:28)", "circular"),
        ("TypeError: Converting circular structure to JSON\n    --> starting at object", "circular"),
        ("TypeError: Do not know how to serialize a BigInt", "BigInt"),
        ("Error: Callbacks are not supported when broadcasting", "acknowledgement"),
        ('Error: "disconnect" is a reserved event name', "cannot be emitted"),
        ("Error: timeout reached: only 0 responses received out of 1", "cluster"),
        (
            "2024/05/01 [error] upstream prematurely closed connection while reading response header",
            "the proxy",
        ),
        ("connect() failed (111: Connection refused) while connecting to upstream", "the proxy"),
        ("400 The plain HTTP request was sent to HTTPS port", "speaks TLS"),
        # Java, Swift, Dart, C#, Go
        (
            "java.net.UnknownServiceException: CLEARTEXT communication to "
            "10.0.2.2 not permitted by network security "
            "policy",
            "only https://",
        ),
        (
            "javax.net.ssl.SSLHandshakeException: "
            "java.security.cert.CertPathValidatorException: Trust anchor for "
            "certification path not found.",
            "authority",
        ),
        (
            "java.net.SocketTimeoutException: failed to connect to /10.0.2.2 (port 3000) after 10000ms",
            "firewall",
        ),
        ("java.net.SocketException: socket failed: EPERM (Operation not permitted)", "INTERNET"),
        (
            'Error Domain=NSURLErrorDomain Code=-1022 "The resource could not '
            "be loaded because the App Transport "
            'Security policy requires the use of a secure connection."',
            "only https://",
        ),
        ('Error Domain=NSURLErrorDomain Code=-1004 "Could not connect to the server."', "nothing listens"),
        (
            "SocketException: Failed host lookup: 'a' (OS Error: No address associated with hostname)",
            "no address",
        ),
        ("WebSocketException: Connection to 'http://a:0/#' was not upgraded to websocket", "Upgrade"),
        ("The server returned status code '400' when status code '101' was expected.", "Upgrade"),
        ("No connection could be made because the target machine actively refused it.", "nothing listens"),
        ("tls: first record does not look like a TLS handshake", "plain HTTP"),
        ("dial: websocket: bad handshake", "Upgrade"),
    ],
)
def test_messages_as_they_are_printed(typed: str, cause: str) -> None:
    found = look_up(typed)
    assert found, "unknown"
    assert cause in "\n".join(found[0].error.causes)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "hello",
        "42",
        "\x00",
        "the quick brown fox",
        "error",
        "connection",
        "the client",
        "Error: undefined",
        "websocket",
        "socket.io",
        "the server is not available",
        "SyntaxError: Invalid or unexpected token",
        "TypeError: Cannot read properties of undefined (reading 'emit')",
        "ReferenceError: foo is not defined",
        "TypeError: foo.bar is not a function",
        "KeyError: 'token'",
        "ModuleNotFoundError: No module named 'foo'",
        "Segmentation fault (core dumped)",
        "permission denied",
        "the timeout of the game is 30",
        "forbidden fruit is sweet",
        "user is unauthorized to open this door",
        "we installed a certificate yesterday",
        "poll the xhr",
        "close the transport",
        "out of range",
        "disk quota exceeded",
        "zzz \x1b[31m",
        "Expected ',' or '}' after property value in JSON at position 12",
        "npm ERR! code ERESOLVE",
        "invalid input syntax for type integer",
        "duplicate key value violates unique constraint",
        "hooks can only be called inside of the body of a function component",
    ],
)
def test_other_text_is_unknown(typed: str) -> None:
    assert [match.message for match in look_up(typed)] == []


def test_the_special_message_comes_before_the_general_one() -> None:
    found = look_up(f"{WEBSOCKET}Error in connection establishment: net::ERR_CERT_DATE_INVALID")
    assert ["renew" in match.error.causes[0] for match in found] == [True, False]


@given(st.text(max_size=500))
@settings(max_examples=30, deadline=None)
def test_any_text_finds_three_errors_at_most(text: str) -> None:
    assert len(look_up(text)) <= 3


def test_a_long_text_is_searched_quickly() -> None:
    assert look_up("the connection " * 100_000) == []


async def test_the_command_is_offline(nsroom: Runner) -> None:
    result = await nsroom("doctor", "--explain", "xhr poll error")
    assert (result.code, result.stderr) == (0, "")
    assert result.lines[0].startswith("xhr poll error | ")
    assert any("CORS" in line for line in result.lines)
    [found] = (await nsroom("doctor", "--explain", "xhr poll error", "--json")).records()
    assert (found["words"][0], found["anchor"]) == ("xhr poll error", "xhr-poll-error")
    assert json.dumps(found["causes"])


async def test_an_unknown_message_exits_with_1(nsroom: Runner) -> None:
    result = await nsroom("doctor", "--explain", "zzz \x1b[31m")
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr.startswith("nsroom: no known error matches: paste the message exactly")

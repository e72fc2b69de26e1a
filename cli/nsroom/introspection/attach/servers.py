"""Find the Socket.IO servers inside a Node process, whichever copy of the package they come from.

The quick way follows references: a listening HTTP server has a `close` listener that is bound to its
Engine.IO server, and that has a `connection` listener bound to the Socket.IO server. Only where this finds
nothing is the heap searched (`Runtime.queryObjects`), because that stops the process: for 0.1 s, and for
9 s with a heap of three million objects.
"""

from collections.abc import Callable

from nsroom.introspection.attach.inspector import REQUIRE, Inspector

_MAX_LISTENERS = 500
"""Listeners to look at: a server has about five."""
_LARGE_HEAP = 50
"""MB. A smaller one is searched in less than a second."""
# The HTTP servers that listen, and those of the open connections: in a worker of a cluster they do not.
_CLOSE_LISTENERS = """(() => {
  const servers = new Set();
  for (const handle of process._getActiveHandles())
    for (const each of ["listening" in handle ? handle : null, handle.server])
      if (each && typeof each.rawListeners === "function") servers.add(each);
  return [...servers].flatMap((server) => server.rawListeners("close"));
})()"""
_CONNECTION_LISTENERS = """function(...engines) {
  return engines.filter((each) => each && each.clients && typeof each.rawListeners === "function")
    .flatMap((engine) => engine.rawListeners("connection"));
}"""
_IS_SERVER = """const isServer = (each) => each && each.sockets &&
    (Object.hasOwn(each, "_nsps") || Object.hasOwn(each, "nsps"));"""
_SERVERS = f"""function(...found) {{
  {_IS_SERVER}
  return [...new Set(found.filter(isServer))];
}}"""
_SERVERS_OF_NAMESPACES = f"""function() {{
  {_IS_SERVER}
  const keys = ["server", "name", "adapter", "sockets"];
  const isNamespace = (each) => keys.every((key) => Object.hasOwn(each, key));
  return [...new Set(this.filter(isNamespace).map((each) => each.server).filter(isServer))];
}}"""
_AT_PORT = """function(port) {
  const portOf = (io) => { try { return io.httpServer?.address?.()?.port } catch { return undefined } };
  const there = this.filter((io) => portOf(io) === port);
  return there.length ? there : this.filter((io) => portOf(io) === undefined);
}"""
_LENGTH = "function() { return this.length }"


async def find_servers(inspector: Inspector, port: int | None, note: Callable[[int], object]) -> str | None:
    """Return the id of a list of the Socket.IO servers, or None if there are none.

    With a port only those that listen there. `note` is called with the megabytes of a large heap before it is
    searched. Raises: InspectorError, LostError.
    """
    found = await _by_references(inspector)
    if not await _length(inspector, found):
        found = await _by_heap(inspector, note)
    if port is not None:
        found = await inspector.run(_AT_PORT, found, port, keep=True)
    return found if await _length(inspector, found) else None


async def _length(inspector: Inspector, objects: str) -> int:
    length = await inspector.run(_LENGTH, objects)
    return length if isinstance(length, int) else 0


async def _by_references(inspector: Inspector) -> str:
    listeners = await inspector.evaluate(_CLOSE_LISTENERS, keep=True)
    engines = await _bound_objects(inspector, listeners)
    listeners = await inspector.run(_CONNECTION_LISTENERS, listeners, *engines, keep=True)
    servers = await _bound_objects(inspector, listeners)
    return str(await inspector.run(_SERVERS, listeners, *servers, keep=True))


async def _bound_objects(inspector: Inspector, functions: str) -> list[dict[str, str]]:
    """Return the objects that these functions are bound to."""
    listed = await inspector.call("Runtime.getProperties", objectId=functions, ownProperties=True)
    ids = [id for each in listed.get("result", ()) if (id := _function(each))]
    return [bound for id in ids[:_MAX_LISTENERS] if (bound := await _bound_object(inspector, id))]


def _function(described: object) -> str | None:
    match described:
        case {"value": {"type": "function", "objectId": str() as id}}:
            return id
    return None


async def _bound_object(inspector: Inspector, function: str) -> dict[str, str] | None:
    described = await inspector.call("Runtime.getProperties", objectId=function, ownProperties=True)
    for each in described.get("internalProperties", ()):
        match each:
            case {"name": "[[BoundThis]]", "value": {"objectId": str() as id}}:
                return {"objectId": id}
    return None


async def _by_heap(inspector: Inspector, note: Callable[[int], object]) -> str:
    size = await inspector.evaluate("Math.round(process.memoryUsage().heapUsed / 1e6)")
    if isinstance(size, int) and size > _LARGE_HEAP:
        note(size)
    prototype = await inspector.evaluate(f'{REQUIRE}("node:events").prototype', keep=True)
    found = await inspector.call("Runtime.queryObjects", prototypeObjectId=prototype)
    return str(await inspector.run(_SERVERS_OF_NAMESPACES, found["objects"]["objectId"], keep=True))

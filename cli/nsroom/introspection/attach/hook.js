function install(options, require) {
  // Runs inside the observed process, which must not notice it: `this` is the list of its Socket.IO servers
  // (versions 2 to 4). What it changes is on instances, never on prototypes, and `remove` takes it all back; so
  // does the timer, once the observer has not called `renew` for a few seconds, because it was killed.
  "use strict";
  const CHECK = 1000, SOON = 10, FLUSH = 20; // milliseconds
  const WINDOW = 8, BATCH = 256 * 1024, MAX_WAITING = 4 * 1024 * 1024, MAX_ITEMS = 20000, CHUNK = 200;
  const MAX_PAYLOAD = 64 * 1024, MAX_DEPTH = 40, MAX_NAME = 1000;
  const RATE = 10000; // packets a second to report: each takes about ten microseconds
  const EVENT = 2, ACK = 3, BINARY_EVENT = 5, BINARY_ACK = 6;
  let servers = [], withEvents = false;
  const inspector = require("node:inspector");
  const own = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
  const start = Date.now() * 1000 - performance.now() * 1000;
  const clock = () => Math.round(start + performance.now() * 1000); // microseconds
  const quietly = (work) => { try { return work(); } catch { return undefined; } };

  // The session's way to the observer, which another session replaces.
  let send = null;

  function bind() {
    send = globalThis[options.binding];
    delete globalThis[options.binding];
  }

  // The queue to the observer: bounded, and counted where it overflows.
  let waiting = [], size = 0, dropped = 0, stale = false, sent = 0, confirmed = 0, timer = null, active = true;

  function put(item) {
    if (!active) return;
    if (isFull()) { stale = true; return; }
    putText(JSON.stringify(item));
  }

  const isFull = () => waiting.length >= MAX_ITEMS || size >= MAX_WAITING;

  function putText(text) {
    waiting.push(text);
    size += text.length;
    if (timer === null) timer = setTimeout(flush, FLUSH).unref();
  }

  function flush() {
    timer = null;
    while (active && waiting.length && sent - confirmed < WINDOW) {
      let length = 0, end = 0;
      while (end < waiting.length && length < BATCH) length += waiting[end++].length;
      const batch = waiting.splice(0, end);
      size -= length;
      sent++;
      send?.("[" + batch.join(",") + "]");
    }
  }

  // Once a second: what was left out since.
  function reportGap() {
    if (isFull()) return;
    if (dropped) put({ kind: "gap", dropped });
    if (stale) list();
    dropped = 0;
    stale = false;
  }

  // Values as the wire has them, cut to a budget of characters; binary as records write it.
  function plain(value, budget, depth, wire) {
    switch (typeof value) {
      case "string": return text(value, budget);
      case "number": budget.left -= 8; return Number.isFinite(value) ? value : null;
      case "boolean": budget.left -= 4; return value;
      case "bigint": return text(String(value), budget);
      case "object": break;
      default: return null;
    }
    if (value === null) return null;
    if (ArrayBuffer.isView(value)) return binary(Buffer.from(value.buffer, value.byteOffset, value.byteLength), budget);
    if (value instanceof ArrayBuffer) return binary(Buffer.from(value), budget);
    if (depth > MAX_DEPTH) return "…";
    if (Array.isArray(value)) return array(value, budget, depth, wire);
    if (value instanceof Date || (wire && typeof value.toJSON === "function"))
      return plain(value.toJSON(), budget, depth + 1, wire);
    if (value instanceof Map || value instanceof Set) return wire ? {} : array([...value], budget, depth, wire);
    return object(value, budget, depth, wire);
  }

  function text(value, budget) {
    const length = Math.max(0, Math.min(value.length, budget.left));
    budget.left -= length + 2;
    return length < value.length ? value.slice(0, length) + "…" : value;
  }

  function binary(bytes, budget) {
    const part = bytes.subarray(0, Math.max(0, Math.floor(budget.left * 0.75)));
    budget.left -= part.length * 4 / 3 + 16;
    return { $binary: part.toString("base64") };
  }

  function array(value, budget, depth, wire) {
    const result = [];
    for (const item of value) {
      if (budget.left <= 0) { result.push(`… ${value.length - result.length} more`); break; }
      budget.left -= 1;
      result.push(plain(item, budget, depth + 1, wire));
    }
    return result;
  }

  function object(value, budget, depth, wire) {
    const result = {}, keys = Object.keys(value);
    for (const key of keys) {
      if (budget.left <= 0) { result["…"] = `${keys.length} keys`; break; }
      // An accessor of the application's own data is not called.
      const item = wire ? value[key] : Object.getOwnPropertyDescriptor(value, key)?.value;
      if (item === undefined || typeof item === "function" || typeof item === "symbol") continue;
      budget.left -= key.length + 4;
      Object.defineProperty(result, key.slice(0, MAX_NAME), {
        value: plain(item, budget, depth + 1, wire), enumerable: true, configurable: true, writable: true,
      });
    }
    const [key, more] = Object.keys(result);
    return more === undefined && /^\$+binary$/.test(key) ? { ["$" + key]: result[key] } : result;
  }

  const payload = (value, wire) => quietly(() => plain(value, { left: MAX_PAYLOAD }, 0, wire)) ?? null;

  // The tables of versions 3 and 4 are Maps, those of version 2 are objects.
  const values = (table) => (table instanceof Map ? [...table.values()] : Object.values(table ?? {}));
  const namespacesOf = (io) => values(own(io, "_nsps") ? io._nsps : io.nsps);
  const socketsOf = (nsp) => values(nsp.connected ?? nsp.sockets);
  const name = (value) => (typeof value === "number" ? value : String(value).slice(0, MAX_NAME));

  function roomsOf(socket) {
    const sids = socket.nsp.adapter?.sids;
    const rooms = sids instanceof Map ? sids.get(socket.id) ?? [] : Object.keys(sids?.[socket.id] ?? {});
    return [...rooms].map(name);
  }

  function describe(socket, kind) {
    const shake = socket.handshake ?? {}, conn = socket.conn ?? {};
    return {
      kind, nsp: socket.nsp.name, id: socket.id, rooms: roomsOf(socket), at: clock(),
      clientId: conn.id, transport: conn.transport?.name,
      handshake: { address: shake.address, issued: shake.issued },
      data: own(socket, "data") ? payload(socket.data, false) : null,
    };
  }

  // Every change, with the way to undo it.
  const namespaces = new Map(), sockets = new Map();

  function listen(undo, emitter, event, listener, first) {
    if (typeof emitter?.on !== "function") return;
    emitter[first ? "prependListener" : "on"](event, listener);
    undo.push(() => emitter.removeListener(event, listener));
  }

  function wrap(undo, object, key, before, after) {
    const original = object[key];
    if (typeof original !== "function") return;
    const had = own(object, key);
    const wrapper = function (...args) {
      if (active && before) quietly(() => before(...args));
      try {
        return original.apply(this, args);
      } finally {
        if (active && after) quietly(() => after(...args));
      }
    };
    object[key] = wrapper;
    undo.push(() => {
      if (object[key] !== wrapper) return; // wrapped again by others: then ours only passes calls on
      if (had) object[key] = original; else delete object[key];
    });
  }

  function watchNamespace(nsp) {
    if (namespaces.has(nsp)) return;
    const undo = [];
    namespaces.set(nsp, undo);
    listen(undo, nsp, "connect", (socket) => quietly(() => arrived(socket)), true);
    watchRooms(nsp, undo);
    if (withEvents) watchBroadcasts(nsp, undo);
    for (const socket of socketsOf(nsp)) watchSocket(socket);
  }

  function watchRooms(nsp, undo) {
    const changed = (kind, room, id) => {
      const socket = sockets.get(nsp)?.get(id);
      if (socket) put({ kind, nsp: nsp.name, id, room: name(room), at: clock() });
    };
    const adapter = nsp.adapter;
    if (adapter.sids instanceof Map) {
      listen(undo, adapter, "join-room", (room, id) => changed("join", room, id));
      listen(undo, adapter, "leave-room", (room, id) => changed("leave", room, id));
    } else {
      wrap(undo, adapter, "addAll", (id, rooms) => rooms.forEach((room) => changed("join", room, id)));
      wrap(undo, adapter, "del", (id, room) => changed("leave", room, id));
      wrap(undo, adapter, "delAll", (id) => Object.keys(adapter.sids[id] ?? {}).forEach((room) => changed("leave", room, id)));
    }
  }

  // Before version 4.5 a broadcast tells no socket of its packet.
  let broadcast = null;
  const isTold = (socket) => typeof socket.notifyOutgoingListeners === "function";

  function watchBroadcasts(nsp, undo) {
    wrap(undo, nsp.adapter, "broadcast", (packet, opts) => {
      broadcast = packet;
      if (typeof nsp.adapter.apply !== "function") prepare(nsp.adapter, packet); // the encoder replaces binary data
      else
        nsp.adapter.apply(opts, (socket) => isTold(socket) || went(socket, packet));
    }, () => { broadcast = null; });
  }

  function arrived(socket) {
    if (sockets.get(socket.nsp)?.get(socket.id)?.socket === socket) return;
    put(describe(socket, "connect"));
    watchSocket(socket);
  }

  function watchSocket(socket) {
    const known = sockets.get(socket.nsp) ?? new Map();
    sockets.set(socket.nsp, known);
    const before = known.get(socket.id);
    if (before?.socket === socket) return;
    undoAll(before?.undo ?? []); // in version 2 a second CONNECT makes another socket with the same id
    const undo = [];
    known.set(socket.id, { socket, undo });
    listen(undo, socket, "disconnect", (reason) => left(socket, known, reason));
    if (socket.conn?.transport?.name === "polling")
      listen(undo, socket.conn, "upgrade", () => put({ kind: "upgrade", nsp: socket.nsp.name, id: socket.id, transport: socket.conn.transport?.name }));
    if (withEvents) watchPackets(socket, undo);
  }

  const watched = () => [...sockets.values()].flatMap((known) => [...known.values()]);

  function left(socket, known, reason) {
    put({ kind: "disconnect", nsp: socket.nsp.name, id: socket.id, reason: String(reason).slice(0, MAX_NAME), at: clock() });
    undoAll(known.get(socket.id)?.undo ?? []);
    known.delete(socket.id);
  }

  function watchPackets(socket, undo) {
    wrap(undo, socket, typeof socket._onpacket === "function" ? "_onpacket" : "onpacket", (packet) => came(socket, packet));
    wrap(undo, socket, "notifyOutgoingListeners", (packet) => went(socket, packet));
    wrap(undo, socket, "packet", (packet, opts) => {
      if (opts?.preEncoded) {
        if (broadcast && typeof socket.nsp.adapter.apply !== "function") went(socket, broadcast);
      } else if (!isEvent(packet) || !isTold(socket)) went(socket, packet);
    });
  }

  const isEvent = (packet) => packet.type === EVENT || packet.type === BINARY_EVENT;
  const isAck = (packet) => packet.type === ACK || packet.type === BINARY_ACK;
  const came = (socket, packet) => seen("out", socket, packet);
  const went = (socket, packet) => seen("in", socket, packet);

  // Directions are the client's, as in every record. A broadcast brings the same packet to many sockets.
  let last = null, lastText = "", budget = RATE;

  function seen(direction, socket, packet) {
    const kind = isEvent(packet) ? "event" : isAck(packet) ? "ack" : null;
    if (kind === null) return;
    if (budget <= 0 || isFull()) { dropped++; return; }
    budget--;
    prepare(socket.nsp.adapter, packet);
    const head = { kind, direction, nsp: socket.nsp.name, id: socket.id, ack: packet.id ?? null, at: clock() };
    putText(`${JSON.stringify(head).slice(0, -1)},"data":${lastText}}`);
  }

  function prepare(adapter, packet) {
    if (packet === last) return;
    lastText = JSON.stringify(payload(withoutOffset(adapter, packet), true));
    last = packet;
  }

  // Connection state recovery adds the packet's id in the adapter to the arguments.
  function withoutOffset(adapter, packet) {
    const offset = isEvent(packet) ? adapter.packets?.at(-1)?.id : undefined;
    return offset !== undefined && packet.data.at(-1) === offset ? packet.data.slice(0, -1) : packet.data;
  }

  function list() {
    const found = servers.flatMap(namespacesOf).flatMap(socketsOf);
    put({ kind: "listing" });
    let at = 0;
    (function next() {
      if (!active) return;
      const end = at + CHUNK;
      for (; at < Math.min(end, found.length); at++) {
        const socket = found[at];
        if (socket.connected !== false) quietly(() => put(describe(socket, "socket")));
      }
      if (at < found.length) setImmediate(next); else put({ kind: "listed" });
    })();
  }

  function watchAll() {
    for (const nsp of servers.flatMap(namespacesOf)) watchNamespace(nsp);
  }

  // Without the observer all of this ends by itself. One late check is not enough: the process may have stood still.
  let renewed = Date.now(), late = false;
  const lease = setInterval(() => {
    const expired = Date.now() - renewed > options.lease;
    budget = RATE;
    if (expired && late) return end();
    quietly(watchAll);
    reportGap();
    late = expired;
  }, Math.min(CHECK, options.lease)).unref();

  // One registry for all observers of the process: the last of them closes an inspector that they opened.
  const REGISTRY = Symbol.for("nsroom.observers");
  const registry = (globalThis[REGISTRY] ??= { hooks: {}, opened: false, port: options.port });
  if (options.opened) registry.opened = true;

  function undoAll(undo) {
    for (const step of undo.splice(0).reverse()) quietly(step);
  }

  function remove() {
    active = false;
    clearInterval(lease);
    clearTimeout(timer);
    waiting = [];
    for (const { undo } of watched()) undoAll(undo);
    for (const undo of namespaces.values()) undoAll(undo);
    sockets.clear();
    namespaces.clear();
    delete registry.hooks[options.binding];
    if (!Object.keys(registry.hooks).length) delete globalThis[REGISTRY];
  }

  // The connections of debuggers, where the system tells of them: rows whose own address is the inspector's.
  function debuggers() {
    const url = inspector.url();
    if (!url) return 0;
    const { hostname, port } = new URL(url);
    const hex = (number, digits) => Number(number).toString(16).toUpperCase().padStart(digits, "0");
    const octets = hostname.split(".");
    if (require("node:os").endianness() === "LE") octets.reverse();
    const own = `${octets.length === 4 ? octets.map((each) => hex(each, 2)).join("") : ""}:${hex(port, 4)}`;
    const read = (table) => quietly(() => require("node:fs").readFileSync(`/proc/self/net/${table}`, "latin1")) ?? "";
    const rows = (read("tcp") + read("tcp6")).split("\n").map((line) => line.trim().split(/\s+/));
    return rows.filter((row) => row[3] === "01" && row[1].endsWith(own)).length;
  }

  // Call `work` when no debugger is connected: while one is, closing the inspector stops the process.
  function whenAlone(work, delay = SOON) {
    setTimeout(() => {
      if (debuggers()) whenAlone(work, Math.min(2 * delay, CHECK));
      else quietly(work);
    }, delay).unref();
  }

  function closeInspector() {
    const others = globalThis[REGISTRY];
    if (others) return void (others.opened = true);
    inspector.close();
    process.debugPort = registry.port; // where the next SIGUSR1 opens it
  }

  function end() {
    if (active) remove();
    if (!registry.opened) return false;
    whenAlone(closeInspector);
    return !globalThis[REGISTRY];
  }

  // Let the inspector listen on a free port, as the default one is the same for all processes; return whether it will.
  // The primary of a cluster stays: it sends SIGUSR1 to its workers whenever its inspector opens.
  function move() {
    const cluster = require("node:cluster");
    if (cluster.isPrimary && Object.keys(cluster.workers ?? {}).length) return false;
    whenAlone(() => { inspector.close(); inspector.open(0, "127.0.0.1"); });
    return true;
  }

  // Actions, on the sockets of this process that are in one of the rooms, or on all.
  const ACTIONS = {
    join: (socket, room) => socket.join(room),
    leave: (socket, room) => socket.leave(room),
    disconnect: (socket) => socket.disconnect(),
  };

  function given(value) {
    if (Array.isArray(value)) return value.map(given);
    if (value === null || typeof value !== "object") return value;
    const [key, more] = Object.keys(value);
    if (more === undefined && key === "$binary") return Buffer.from(value[key], "base64");
    if (more === undefined && /^\$+binary$/.test(key)) return { [key.slice(1)]: given(value[key]) };
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, given(item)]));
  }

  // V8 forgets a promise that nothing else holds, and answers with an error.
  const running = new Set();

  function begin(...args) {
    const done = act(...args);
    running.add(done);
    done.catch(() => {}).then(() => running.delete(done));
    return done;
  }

  async function act(action, namespace, rooms, args, local) {
    const found = servers.flatMap(namespacesOf).filter((nsp) => nsp.name === namespace);
    const isIn = (socket) => rooms === null || roomsOf(socket).some((room) => rooms.includes(room));
    for (const nsp of found) {
      if (action === "emit") {
        const start = local ? nsp.local : nsp;
        (rooms ?? []).reduce((to, room) => to.to(room), start).emit(...given(args));
      } else for (const socket of socketsOf(nsp).filter(isIn)) {
        const done = ACTIONS[action](socket, ...args);
        if (done !== socket) await done;
      }
    }
    return found.length;
  }

  bind();
  return (registry.hooks[options.binding] = {
    bind,
    move,
    end,
    act: begin,
    watch(found) {
      servers = found;
      watchAll();
      list();
    },
    watchEvents() {
      if (withEvents || !active) return;
      withEvents = true;
      for (const [nsp, undo] of namespaces) watchBroadcasts(nsp, undo);
      for (const { socket, undo } of watched()) watchPackets(socket, undo);
    },
    renew(number) {
      renewed = Date.now();
      if (number > confirmed) confirmed = number;
      if (active && timer === null) timer = setTimeout(flush, 0).unref();
      return active;
    },
  });
}

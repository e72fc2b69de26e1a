// A Socket.IO client for pages: protocol 5 over Engine.IO 4, with namespaces, acknowledgements, binary,
// reconnection and connection state recovery. It has the names and the order of events of `socket.io-client`.
// It leaves out: Socket.IO 2, other parsers, WebTransport, `retries`, `extraHeaders` with WebSocket, and the
// debug log.
//
// From the wire to the application: a Transport moves Engine.IO packets, a Connection is one Engine.IO session
// (handshake, upgrade, heartbeat), a Manager keeps one connection for all namespaces of a server and brings it
// back, and a Socket is one namespace.

const SEPARATOR = "\x1e";
const TYPES = { open: "0", close: "1", ping: "2", pong: "3", message: "4", upgrade: "5", noop: "6" };
const CONNECT = 0, DISCONNECT = 1, EVENT = 2, ACK = 3, CONNECT_ERROR = 4, BINARY_EVENT = 5, BINARY_ACK = 6;
const RESERVED = new Set(["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]);

// ---- Events ----

class Emitter {
  #listeners = new Map();

  on(event, listener) {
    this.#listeners.set(event, [...this.listeners(event), listener]);
    return this;
  }

  once(event, listener) {
    const once = (...args) => {
      this.off(event, once);
      listener.apply(this, args);
    };
    once.listener = listener;
    return this.on(event, once);
  }

  off(event, listener) {
    if (event === undefined) this.#listeners.clear();
    else if (listener === undefined) this.#listeners.delete(event);
    else {
      const kept = this.listeners(event);
      const index = kept.findIndex((each) => each === listener || each.listener === listener);
      this.#listeners.set(event, kept.filter((_, position) => position !== index));
    }
    return this;
  }

  listeners(event) {
    return this.#listeners.get(event) ?? [];
  }

  hasListeners(event) {
    return this.listeners(event).length > 0;
  }

  emitReserved(event, ...args) {
    for (const listener of this.listeners(event)) listener.apply(this, args);
    return this;
  }
}
Emitter.prototype.addEventListener = Emitter.prototype.on;
Emitter.prototype.removeListener = Emitter.prototype.removeEventListener = Emitter.prototype.off;
Emitter.prototype.removeAllListeners = Emitter.prototype.off;

// ---- Socket.IO packets ----

const isBinary = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value) || value instanceof Blob;

/** Return the value with a placeholder for each binary, which is added to `attachments`. */
function detach(value, attachments) {
  if (isBinary(value)) {
    attachments.push(value);
    return { _placeholder: true, num: attachments.length - 1 };
  }
  if (Array.isArray(value)) return value.map((item) => detach(item, attachments));
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  if (typeof value.toJSON === "function") return detach(value.toJSON(), attachments);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, detach(item, attachments)]));
}

/** Return the value with its attachments in their places. */
function attach(value, attachments) {
  if (Array.isArray(value)) return value.map((item) => attach(item, attachments));
  if (value === null || typeof value !== "object") return value;
  if (value._placeholder === true) {
    if (!(value.num >= 0 && value.num < attachments.length)) throw new Error("illegal attachments");
    return attachments[value.num];
  }
  for (const key of Object.keys(value)) value[key] = attach(value[key], attachments);
  return value;
}

/** Return the frames of a packet: text, then one for each attachment. */
function encode({ type, nsp, id, data }) {
  const attachments = [];
  const detached = data === undefined ? data : detach(data, attachments);
  if (attachments.length > 0) type += type === EVENT ? BINARY_EVENT - EVENT : BINARY_ACK - ACK;
  const head = attachments.length > 0 ? `${type}${attachments.length}-` : `${type}`;
  const place = nsp === "/" ? "" : `${nsp},`;
  return [`${head}${place}${id ?? ""}${detached === undefined ? "" : JSON.stringify(detached)}`, ...attachments];
}

const PACKET = /^(?:([0-4])|([56])(\d+)-)(?:(\/[^,]*),?)?(\d*)/;

/** Return the packet of a text frame; `missing` is the number of attachments that follow. */
function decode(text) {
  const match = PACKET.exec(text);
  if (match === null) throw new Error("invalid packet");
  const type = Number(match[1] ?? match[2]);
  const rest = text.slice(match[0].length);
  const data = rest === "" ? undefined : JSON.parse(rest);
  const isValid = {
    [CONNECT]: () => data === undefined || isObject(data),
    [DISCONNECT]: () => data === undefined,
    [CONNECT_ERROR]: () => typeof data === "string" || isObject(data),
    [EVENT]: () => isEvent(data),
    [BINARY_EVENT]: () => isEvent(data),
    [ACK]: () => Array.isArray(data),
    [BINARY_ACK]: () => Array.isArray(data),
  };
  if (!isValid[type]()) throw new Error("invalid payload");
  const id = match[5] === "" ? undefined : Number(match[5]);
  return { type, nsp: match[4] ?? "/", id, data, missing: Number(match[3] ?? 0) };
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isEvent = (data) =>
  Array.isArray(data) && (typeof data[0] === "number" || (typeof data[0] === "string" && !RESERVED.has(data[0])));

class Decoder {
  #packet = null;
  #attachments = [];

  constructor(onPacket) {
    this.onPacket = onPacket;
  }

  add(frame) {
    if (typeof frame === "string") {
      if (this.#packet !== null) throw new Error("got plaintext data when reconstructing a packet");
      this.#packet = decode(frame);
    } else {
      if (this.#packet === null) throw new Error("got binary data when not reconstructing a packet");
      this.#attachments.push(frame);
    }
    if (this.#attachments.length < this.#packet.missing) return;
    const packet = this.#packet;
    if (packet.missing > 0) packet.data = attach(packet.data, this.#attachments);
    this.reset();
    this.onPacket(packet);
  }

  reset() {
    this.#packet = null;
    this.#attachments = [];
  }
}

// ---- Engine.IO transports ----

const asBase64 = async (binary) => {
  const bytes = new Uint8Array(await new Response(binary).arrayBuffer());
  let text = "";
  for (let start = 0; start < bytes.length; start += 32768) {
    text += String.fromCharCode(...bytes.subarray(start, start + 32768));
  }
  return btoa(text);
};
const fromBase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer;

/** Long polling: one request waits for packets, another one sends them. */
class Polling {
  name = "polling";
  #stop = new AbortController();
  #paused = null;
  #polling = false;
  #sending = Promise.resolve();

  constructor(url, options, handlers) {
    Object.assign(this, { url, options, handlers });
  }

  open() {
    this.#poll();
  }

  async #poll() {
    this.#polling = true;
    while (!this.#stop.signal.aborted) {
      const body = await this.#request("GET");
      if (body === null) return;
      for (const packet of body.split(SEPARATOR)) {
        if (packet[0] === "b") this.handlers.onPacket(TYPES.message, fromBase64(packet.slice(1)));
        else this.handlers.onPacket(packet[0], packet.slice(1));
      }
      if (this.#paused !== null) {
        this.#polling = false;
        this.#paused();
        return;
      }
    }
  }

  send(packets) {
    this.#sending = this.#sending.then(async () => {
      const parts = packets.map(async ({ type, data }) => (isBinary(data) ? `b${await asBase64(data)}` : type + data));
      if ((await this.#request("POST", (await Promise.all(parts)).join(SEPARATOR))) !== null) this.handlers.onDrain();
    });
  }

  /** Wait until no request is under way. */
  async pause() {
    if (this.#polling) await new Promise((resolve) => (this.#paused = resolve));
    await this.#sending;
  }

  async close(farewell) {
    if (farewell) {
      this.send([{ type: TYPES.close, data: "" }]);
      await this.#sending;
    }
    this.#stop.abort();
  }

  async #request(method, body) {
    try {
      const response = await fetch(this.url("polling"), {
        method,
        body,
        headers: { ...(body === undefined ? {} : { "Content-Type": "text/plain;charset=UTF-8" }), ...this.options.extraHeaders },
        credentials: this.options.withCredentials ? "include" : "same-origin",
        cache: "no-store",
        signal: this.#stop.signal,
      });
      const text = await response.text();
      if (response.ok) return text;
      this.handlers.onError(`xhr ${method === "GET" ? "poll" : "post"} error`, response.status);
    } catch (error) {
      if (!this.#stop.signal.aborted) this.handlers.onError(`xhr ${method === "GET" ? "poll" : "post"} error`, error);
    }
    return null;
  }
}

/** One WebSocket; each packet is a frame. */
class WebSocketTransport {
  name = "websocket";

  constructor(url, options, handlers) {
    Object.assign(this, { url, options, handlers });
  }

  open() {
    const socket = new WebSocket(this.url("websocket").replace(/^http/, "ws"), this.options.protocols);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.handlers.onOpen?.();
    socket.onmessage = ({ data }) =>
      typeof data === "string" ? this.handlers.onPacket(data[0], data.slice(1)) : this.handlers.onPacket(TYPES.message, data);
    socket.onerror = (event) => this.handlers.onError("websocket error", event);
    socket.onclose = (event) => this.handlers.onClose("transport close", event);
  }

  send(packets) {
    for (const { type, data } of packets) {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(isBinary(data) ? data : type + data);
    }
    queueMicrotask(() => this.handlers.onDrain());
  }

  async pause() {}

  close() {
    this.socket.onerror = this.socket.onclose = this.socket.onmessage = this.socket.onopen = null;
    this.socket.close();
  }
}

const TRANSPORTS = { polling: Polling, websocket: WebSocketTransport };

// ---- Engine.IO session ----

class Connection extends Emitter {
  id = null;
  #state = "opening";
  #queue = [];
  #underWay = 0;
  #upgrading = null;
  #heartbeat;

  constructor(address, options) {
    super();
    Object.assign(this, { address, options });
    const [name] = options.transports;
    this.transport = this.#transport(name, {
      onPacket: (type, data) => this.#receive(type, data),
      onDrain: () => this.#drain(),
      onError: (message, description) => this.#fail(message, description),
      onClose: (reason, details) => this.#close(reason, details),
    });
    this.transport.open();
  }

  #transport(name, handlers) {
    const url = (transport) => {
      const query = new URLSearchParams({ ...this.options.query, EIO: "4", transport });
      if (transport === "polling" || this.options.timestampRequests) {
        query.set(this.options.timestampParam, Date.now().toString(36) + Math.random().toString(36).slice(2, 8));
      }
      if (this.id !== null) query.set("sid", this.id);
      return `${this.address.origin}${this.options.path}?${query}`;
    };
    return new TRANSPORTS[name](url, this.options, handlers);
  }

  get readyState() {
    return this.#state;
  }

  get writable() {
    return this.#state === "open" && this.#underWay === 0 && !this.#upgrading?.switching;
  }

  write(data) {
    if (this.#state === "closed" || this.#state === "closing") return;
    this.#queue.push({ type: TYPES.message, data });
    this.#flush();
  }

  close() {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closing";
    const finish = () => this.#close("forced close", undefined, wasOpen);
    if (this.#queue.length > 0 && wasOpen) this.once("drain", finish);
    else finish();
  }

  #flush() {
    if (!(this.#state === "open" || this.#state === "closing") || this.#underWay > 0 || this.#upgrading?.switching) return;
    if (this.#queue.length === 0) return;
    const packets = this.#packets();
    this.#underWay = packets.length;
    this.transport.send(packets);
  }

  /** Return the packets that fit into one body of the server's `maxPayload`. */
  #packets() {
    if (this.transport.name !== "polling" || this.#queue.length === 1) return [...this.#queue];
    let size = 0;
    const count = this.#queue.findIndex(({ data }) => {
      size += 2 + (typeof data === "string" ? new Blob([data]).size : Math.ceil(((data.byteLength ?? data.size) * 4) / 3) + 4);
      return size > this.maxPayload;
    });
    return this.#queue.slice(0, count < 0 ? undefined : Math.max(count, 1));
  }

  #drain() {
    this.#queue.splice(0, this.#underWay);
    this.#underWay = 0;
    if (this.#queue.length === 0) this.emitReserved("drain");
    else this.#flush();
  }

  #receive(type, data) {
    if (this.#state === "closed") return;
    this.#expectPing();
    if (type === TYPES.open) this.#handshake(data);
    else if (type === TYPES.ping) {
      this.emitReserved("ping");
      this.#queue.push({ type: TYPES.pong, data: "" });
      this.#flush();
    } else if (type === TYPES.message) this.emitReserved("data", data);
    else if (type === TYPES.close) this.#close("transport close");
    else if (type !== TYPES.noop) this.#fail("server error", type);
  }

  #handshake(text) {
    let handshake;
    try {
      handshake = JSON.parse(text);
    } catch {
      return this.#fail("parse error");
    }
    this.id = handshake.sid;
    this.maxPayload = handshake.maxPayload ?? Infinity;
    this.patience = handshake.pingInterval + handshake.pingTimeout;
    this.#state = "open";
    this.#expectPing();
    this.emitReserved("open");
    this.#flush();
    const { upgrade, transports } = this.options;
    const wanted = transports.slice(1).filter((name) => handshake.upgrades.includes(name));
    if (this.#state === "open" && upgrade && this.transport.name === "polling" && wanted.length > 0) this.#probe(wanted[0]);
  }

  #expectPing() {
    clearTimeout(this.#heartbeat);
    if (this.patience) this.#heartbeat = setTimeout(() => this.#close("ping timeout"), this.patience);
  }

  /** Try the other transport; switch to it when it answers, and stay as it is otherwise. */
  #probe(name) {
    const abandon = () => {
      if (this.#upgrading?.probe === probe && !this.#upgrading.switching) this.#upgrading = null;
    };
    const probe = this.#transport(name, {
      onOpen: () => probe.send([{ type: TYPES.ping, data: "probe" }]),
      onPacket: async (type, data) => {
        if (this.#upgrading?.probe !== probe) return this.#receive(type, data);
        if (type !== TYPES.pong || data !== "probe") return abandon();
        this.#upgrading.switching = true;
        await this.transport.pause();
        if (this.#state === "closed") return probe.close();
        probe.socket.send(TYPES.upgrade);
        this.#upgrading = null;
        this.transport = probe;
        this.emitReserved("upgrade", probe);
        this.#flush();
      },
      onDrain: () => this.transport === probe && this.#drain(),
      onError: (message, description) => (this.transport === probe ? this.#fail(message, description) : abandon()),
      onClose: (reason, details) => (this.transport === probe ? this.#close(reason, details) : abandon()),
    });
    this.#upgrading = { probe, switching: false };
    probe.open();
  }

  #fail(message, description) {
    if (this.#state === "closed") return;
    const error = Object.assign(new Error(message), { type: "TransportError", description });
    this.emitReserved("error", error);
    this.#close("transport error", error);
  }

  #close(reason, details, farewell = false) {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#heartbeat);
    const probe = this.#upgrading?.probe;
    this.#upgrading = null;
    probe?.close();
    this.transport.close(farewell);
    this.emitReserved("close", reason, details);
  }
}

// ---- Manager: one connection for all namespaces ----

class Manager extends Emitter {
  nsps = new Map();
  engine = null;
  #state = "closed";
  #reconnecting = false;
  #attempts = 0;
  #timer;
  #skip = false;

  constructor(address, options) {
    super();
    this.opts = options;
    this.uri = address.href;
    this.address = address;
    // Each packet in a turn of its own: what waits for one packet goes on before the next is handled.
    this.decoder = new Decoder((packet) => queueMicrotask(() => this.nsps.get(packet.nsp)?.receive(packet)));
  }

  get _readyState() {
    return this.#state;
  }

  socket(nsp, options) {
    const known = this.nsps.get(nsp);
    if (known !== undefined) {
      if (this.opts.autoConnect && !known.active) known.connect();
      return known;
    }
    const socket = new Socket(this, nsp, options);
    this.nsps.set(nsp, socket);
    if (this.opts.autoConnect) socket.connect();
    return socket;
  }

  open() {
    if (this.#state !== "closed") return this;
    this.#state = "opening";
    this.#skip = false;
    const engine = new Connection(this.address, this.opts);
    this.engine = engine;
    const timer = setTimeout(() => fail(new Error("timeout")), this.opts.timeout);
    const fail = (error) => {
      clearTimeout(timer);
      engine.off();
      engine.close();
      this.#state = "closed";
      this.emitReserved("error", error);
      this.#failed(error);
    };
    engine.on("error", fail);
    engine.on("open", () => {
      clearTimeout(timer);
      engine.off("error", fail);
      this.#opened(engine);
    });
    return this;
  }
  connect = this.open;

  #opened(engine) {
    this.#state = "open";
    this.decoder.reset();
    engine.on("ping", () => this.emitReserved("ping"));
    engine.on("data", (data) => this.#add(data));
    engine.on("error", (error) => this.emitReserved("error", error));
    engine.on("close", (reason, details) => this.#closed(reason, details));
    const wasReconnecting = this.#reconnecting;
    const attempts = this.#attempts;
    this.#reconnecting = false;
    this.#attempts = 0;
    this.emitReserved("open");
    if (wasReconnecting) this.emitReserved("reconnect", attempts);
  }

  #add(data) {
    try {
      this.decoder.add(data);
    } catch (error) {
      this.#closed("parse error", error);
    }
  }

  send(packet) {
    for (const frame of encode(packet)) this.engine.write(frame);
  }

  /** Close the connection once no namespace uses it. */
  release(socket) {
    for (const each of this.nsps.values()) if (each !== socket && each.active) return;
    this.close();
  }

  close() {
    this.#skip = true;
    this.#reconnecting = false;
    clearTimeout(this.#timer);
    this.#closed("forced close");
  }
  disconnect = this.close;

  #closed(reason, details) {
    clearTimeout(this.#timer);
    const engine = this.engine;
    engine?.off();
    engine?.close();
    const wasOpen = this.#state !== "closed";
    this.#state = "closed";
    this.#attempts = 0;
    if (wasOpen) this.emitReserved("close", reason, details);
    if (wasOpen && this.opts.reconnection && !this.#skip) this.#reconnect();
  }

  #failed(error) {
    if (this.#reconnecting) {
      this.#reconnecting = false;
      this.#reconnect();
      this.emitReserved("reconnect_error", error);
    } else if (this.opts.reconnection && !this.#skip) this.#reconnect();
  }

  #reconnect() {
    if (this.#reconnecting || this.#skip) return;
    if (this.#attempts >= this.opts.reconnectionAttempts) {
      this.#attempts = 0;
      this.emitReserved("reconnect_failed");
      return;
    }
    const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = this.opts;
    const delay = Math.min(reconnectionDelay * 2 ** this.#attempts, reconnectionDelayMax);
    this.#reconnecting = true;
    this.#timer = setTimeout(() => {
      if (this.#skip) return;
      this.#attempts += 1;
      this.emitReserved("reconnect_attempt", this.#attempts);
      if (!this.#skip) this.open();
    }, delay * (1 + randomizationFactor * (2 * Math.random() - 1)));
  }
}

// ---- Socket: one namespace ----

class Socket extends Emitter {
  connected = false;
  recovered = false;
  id = undefined;
  receiveBuffer = [];
  sendBuffer = [];
  #ids = 0;
  #acks = new Map();
  #flags = {};
  #unsubscribe = null;
  #anyIn = [];
  #anyOut = [];
  #pid;
  #offset;

  constructor(manager, nsp, { auth } = {}) {
    super();
    this.io = manager;
    this.nsp = nsp;
    this.auth = auth;
  }

  get disconnected() {
    return !this.connected;
  }

  get active() {
    return this.#unsubscribe !== null;
  }

  /** The private id, where the server recovers connections: then events end with an offset. */
  get _pid() {
    return this.#pid;
  }

  connect() {
    if (this.connected) return this;
    if (this.#unsubscribe === null) {
      const handlers = {
        open: () => this.#hello(),
        error: (error) => this.connected || this.emitReserved("connect_error", error),
        close: (reason, details) => this.#closed(reason, details),
      };
      for (const [event, handler] of Object.entries(handlers)) this.io.on(event, handler);
      this.#unsubscribe = () => {
        for (const [event, handler] of Object.entries(handlers)) this.io.off(event, handler);
        this.#unsubscribe = null;
      };
    }
    if (this.io._readyState === "open") this.#hello();
    else this.io.open();
    return this;
  }

  disconnect() {
    if (this.connected) this.io.send({ type: DISCONNECT, nsp: this.nsp });
    this.#leave();
    if (this.connected) this.#closed("io client disconnect");
    return this;
  }

  send(...args) {
    return this.emit("message", ...args);
  }

  emit(event, ...args) {
    if (RESERVED.has(event)) throw new Error(`"${event}" is a reserved event name`);
    const flags = this.#flags;
    this.#flags = {};
    const packet = { type: EVENT, nsp: this.nsp, data: [event, ...args] };
    if (typeof args.at(-1) === "function") {
      packet.id = this.#ids++;
      this.#expectAck(packet.id, packet.data.pop(), flags.timeout ?? this.io.opts.ackTimeout);
    }
    if (this.connected && !(flags.volatile && !this.io.engine.writable)) this.#transmit(packet);
    else if (!flags.volatile) this.sendBuffer.push(packet);
    return this;
  }

  emitWithAck(event, ...args) {
    return new Promise((resolve, reject) => {
      const acknowledge = (error, value) => (error ? reject(error) : resolve(value));
      acknowledge.hasError = true;
      this.emit(event, ...args, acknowledge);
    });
  }

  timeout(milliseconds) {
    this.#flags.timeout = milliseconds;
    return this;
  }

  get volatile() {
    this.#flags.volatile = true;
    return this;
  }

  compress() {
    return this;
  }

  onAny(listener) {
    this.#anyIn.push(listener);
    return this;
  }

  prependAny(listener) {
    this.#anyIn.unshift(listener);
    return this;
  }

  offAny(listener) {
    this.#anyIn = listener === undefined ? [] : this.#anyIn.filter((each) => each !== listener);
    return this;
  }

  listenersAny() {
    return this.#anyIn;
  }

  onAnyOutgoing(listener) {
    this.#anyOut.push(listener);
    return this;
  }

  prependAnyOutgoing(listener) {
    this.#anyOut.unshift(listener);
    return this;
  }

  offAnyOutgoing(listener) {
    this.#anyOut = listener === undefined ? [] : this.#anyOut.filter((each) => each !== listener);
    return this;
  }

  listenersAnyOutgoing() {
    return this.#anyOut;
  }

  receive(packet) {
    if (packet.type === CONNECT) this.#accepted(packet.data ?? {});
    else if (packet.type === CONNECT_ERROR) {
      this.#leave();
      const error = Object.assign(new Error(packet.data.message), { data: packet.data.data });
      this.emitReserved("connect_error", error);
    } else if (packet.type === DISCONNECT) {
      this.#leave();
      this.#closed("io server disconnect");
    } else if (packet.type === EVENT || packet.type === BINARY_EVENT) {
      const args = packet.id === undefined ? packet.data : [...packet.data, this.#answer(packet.id)];
      if (this.connected) this.#dispatch(args);
      else this.receiveBuffer.push(args);
    } else this.#acknowledged(packet);
  }

  #hello() {
    const send = (auth) => {
      const recovery = this.#pid === undefined ? {} : { pid: this.#pid, offset: this.#offset };
      const data = this.#pid === undefined ? auth : { ...recovery, ...auth };
      this.io.send({ type: CONNECT, nsp: this.nsp, data });
    };
    if (typeof this.auth === "function") this.auth(send);
    else send(this.auth);
  }

  #accepted({ sid, pid }) {
    if (sid === undefined) {
      this.emitReserved("connect_error", new Error("It seems you are trying to reach a Socket.IO server in v2.x"));
      return;
    }
    this.id = sid;
    this.recovered = pid !== undefined && this.#pid === pid;
    this.#pid = pid;
    this.connected = true;
    for (const args of this.receiveBuffer.splice(0)) this.#dispatch(args);
    for (const packet of this.sendBuffer.splice(0)) this.#transmit(packet);
    this.emitReserved("connect");
  }

  #transmit(packet) {
    for (const listener of this.#anyOut) listener.apply(this, packet.data);
    this.io.send(packet);
  }

  #dispatch(args) {
    for (const listener of this.#anyIn) listener.apply(this, args);
    this.emitReserved(...args);
    if (this.#pid !== undefined && args.length > 0 && typeof args.at(-1) === "string") this.#offset = args.at(-1);
  }

  #answer(id) {
    let answered = false;
    return (...args) => {
      if (answered) return;
      answered = true;
      this.io.send({ type: ACK, nsp: this.nsp, id, data: args });
    };
  }

  #expectAck(id, acknowledge, milliseconds) {
    if (milliseconds === undefined) {
      this.#acks.set(id, { acknowledge, hasError: acknowledge.hasError === true });
      return;
    }
    const timer = setTimeout(() => {
      this.#acks.delete(id);
      this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
      acknowledge.call(this, new Error("operation has timed out"));
    }, milliseconds);
    this.#acks.set(id, { acknowledge, hasError: true, timer });
  }

  #acknowledged({ id, data }) {
    const expected = this.#acks.get(id);
    if (expected === undefined) return;
    this.#acks.delete(id);
    clearTimeout(expected.timer);
    expected.acknowledge.apply(this, expected.hasError ? [null, ...data] : data);
  }

  #closed(reason, details) {
    this.connected = false;
    this.id = undefined;
    this.emitReserved("disconnect", reason, details);
    for (const [id, { acknowledge, hasError, timer }] of [...this.#acks]) {
      if (this.sendBuffer.some((packet) => packet.id === id)) continue;
      this.#acks.delete(id);
      clearTimeout(timer);
      if (hasError) acknowledge.call(this, new Error("socket has been disconnected"));
    }
  }

  #leave() {
    this.#unsubscribe?.();
    this.io.release(this);
  }
}
Socket.prototype.open = Socket.prototype.connect;
Socket.prototype.close = Socket.prototype.disconnect;

// ---- io() ----

const DEFAULTS = {
  path: "/socket.io/",
  transports: ["polling", "websocket"],
  upgrade: true,
  query: {},
  autoConnect: true,
  reconnection: true,
  reconnectionAttempts: Infinity,
  reconnectionDelay: 1000,
  reconnectionDelayMax: 5000,
  randomizationFactor: 0.5,
  timeout: 20000,
  timestampParam: "t",
  withCredentials: false,
  multiplex: true,
};
const managers = new Map();

/** Return the socket of a namespace: `io()`, `io("/ns", options)` or `io("https://host/ns", options)`. */
function io(uri, options) {
  if (isObject(uri)) [uri, options] = [undefined, uri];
  const address = new URL(uri ?? "/", location.href);
  address.protocol = address.protocol.replace(/^ws/, "http");
  const settings = { ...DEFAULTS, ...options };
  settings.path = settings.path.replace(/\/?$/, "/");
  settings.query = { ...Object.fromEntries(address.searchParams), ...settings.query };
  const key = `${address.origin}${settings.path}`;
  const known = managers.get(key);
  const isTaken = settings.forceNew || settings.multiplex === false || known?.nsps.has(address.pathname);
  const manager = isTaken || known === undefined ? new Manager(address, settings) : known;
  if (known === undefined && !settings.forceNew && settings.multiplex) managers.set(key, manager);
  return manager.socket(address.pathname, settings);
}
Object.assign(io, { Manager, Socket, io, connect: io, protocol: 5 });

export { io, io as connect, Manager, Socket, io as default };

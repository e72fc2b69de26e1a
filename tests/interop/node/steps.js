// Steps that a page takes with a client: `window.io` of any make. Returns the log, the same for every make.
async (unreachable) => {
  const log = (globalThis.log = []);
  const text = (value) =>
    JSON.stringify(value, (key, each) => {
      if (each instanceof ArrayBuffer) return `bytes ${[...new Uint8Array(each)]}`;
      return typeof each === "function" ? "a function" : each;
    });
  const note = (step, ...values) => log.push(`${step}: ${values.map(text).join(" ")}`);
  const event = (socket, name) => new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
  const soon = { reconnectionDelay: 20, reconnectionDelayMax: 50 };
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  const lab = io("/lab", { ...soon, auth: (send) => { note("auth is asked for"); send({ token: "x" }); } });
  lab.onAnyOutgoing((...args) => note("any out", ...args));
  note("before connecting", lab.connected, lab.disconnected, lab.active, lab.id === undefined, lab.recovered, lab.nsp);
  lab.emit("echo", "buffered", 1);
  lab.emit("echo", "buffered", 2);
  lab.volatile.emit("echo", "volatile, so lost");
  const any = (...args) => note("any in", ...args);
  lab.onAny(any);
  await Promise.all([event(lab, "connect"), event(lab, "hi")]);
  note("connected", lab.connected, lab.active, typeof lab.id, Boolean(lab.recovered));
  await event(lab, "echo");
  await event(lab, "echo");
  lab.offAny(any);
  lab.offAnyOutgoing();
  note("listeners", lab.listenersAny().length, lab.listeners("echo").length, lab.hasListeners("echo"));

  lab.emit("echo", 1, "two", { three: [null, true] }, (...answer) => note("callback", ...answer));
  note("promise", await lab.emitWithAck("echo", "ü", 1.5));
  note("in time", await lab.timeout(2000).emitWithAck("delay", { ms: 10 }));
  await lab.timeout(50).emitWithAck("never").catch((error) => note("too late", error.message));
  await new Promise((resolve) => lab.timeout(50).emit("never", (error, value) => resolve(note("too late", error.message, value))));
  await new Promise((resolve) => lab.timeout(2000).emit("echo", 7, (error, value) => resolve(note("with error", error, value))));
  note("bytes", await lab.emitWithAck("binary", new Uint8Array([0, 1, 128, 255]).buffer));
  note("a view", await lab.emitWithAck("binary", new Uint8Array([9, 1, 128, 255]).subarray(1)));
  note("nested", await lab.emitWithAck("echo", { a: [new Uint8Array([1]).buffer, { b: new Uint8Array([2, 3]) }], c: new Date(0) }));
  note("a blob", await lab.emitWithAck("binary", new Blob(["abc"])));
  note("empty", await lab.emitWithAck("echo", ""), await lab.emitWithAck("echo", null));
  note("large", (await lab.emitWithAck("echo", "x".repeat(100000))).length);
  note("order", await Promise.all(Array.from({ length: 50 }, (_, number) => lab.emitWithAck("echo", number))));

  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    try {
      lab.emit(name);
    } catch (error) {
      note("reserved", error.message);
    }
  }
  let heard = 0;
  const listener = () => (heard += 1);
  lab.on("echo", listener).once("echo", listener).addEventListener("echo", listener);
  await lab.emitWithAck("echo");
  lab.off("echo", listener);
  await lab.emitWithAck("echo");
  lab.off("echo");
  await lab.emitWithAck("echo");
  note("heard", heard);

  const other = io("/my-namespace");
  note("one connection", other.io === lab.io, other.nsp);
  note("greeted", await event(other, "hi"));
  const second = io("/my-namespace");
  note("the same namespace again", second === other, second.io === lab.io);
  second.disconnect();
  const own = io("/my-namespace", { forceNew: true });
  note("a connection of its own", own.io === lab.io, await event(own, "hi"));
  own.disconnect();

  const missing = io("/missing");
  const [refusal] = await event(missing, "connect_error");
  note("refused", refusal.message, refusal.data, missing.connected, missing.active);

  other.on("disconnect", (reason) => note("disconnect", reason, other.connected, other.active, other.id));
  note("leaves", other.disconnect() === other);
  // Node's server closes a connection whose CONNECT comes before it has handled the DISCONNECT.
  await pause(100);
  note("comes back", other.connect() === other, await event(other, "connect"), other.connected);
  other.disconnect();

  lab.on("disconnect", (reason) => note("lab disconnect", reason, lab.active));
  lab.emit("kick");
  await event(lab, "disconnect");
  lab.connect();
  await event(lab, "connect");

  for (const name of ["reconnect_attempt", "reconnect", "reconnect_error", "reconnect_failed"]) {
    lab.io.on(name, (value) => note(name, value));
  }
  const waiting = lab.emitWithAck("never").catch((error) => note("was waiting", error.message));
  lab.once("disconnect", () => lab.emit("echo", "while disconnected"));
  lab.io.engine.close();
  note("kept", await event(lab, "echo"));
  await waiting;

  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"], ["websocket", "polling"]]) {
    const socket = io("/lab", { forceNew: true, transports });
    const first = () => socket.io.engine.transport.name;
    await event(socket, "connect");
    const large = new Uint8Array(50000).fill(7);
    const back = await socket.emitWithAck("binary", large);
    const upgrades = transports.length === 2 && transports[0] === "polling";
    for (let looks = 0; upgrades && looks < 1000 && first() !== "websocket"; looks++) await pause(20);
    note(transports.join(), first(), back.byteLength, await socket.emitWithAck("echo", "still here"));
    socket.disconnect();
  }

  const lazy = io("/lab", { autoConnect: false, forceNew: true });
  note("lazy", lazy.connected, lazy.active);
  lazy.on("echo", (...args) => note("lazy echo", ...args));
  lazy.open();
  lazy.send("not heard");
  lazy.emit("echo", "a");
  await event(lazy, "echo");
  lazy.close();

  for (const transports of [["polling"], ["websocket"]]) {
    const lost = io(`${unreachable}/lab`, { transports, reconnectionAttempts: 2, ...soon });
    lost.io.on("reconnect_attempt", (attempt) => note("attempt", attempt));
    lost.io.on("reconnect_error", (error) => note("attempt failed", error.message));
    lost.on("connect_error", (error) => note("unreachable", error.message, lost.active));
    await event(lost.io, "reconnect_failed");
    lost.disconnect();
  }
  lab.disconnect();
  return log;
}

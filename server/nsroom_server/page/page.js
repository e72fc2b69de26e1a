// The page of the reference server: choose a namespace, ask to join rooms, watch the events, and talk.
import { io } from "{endpoint}socket.io.esm.js";

const MAX_ROWS = 500;
const MAX_TEXT = 2000;
const byId = (id) => document.getElementById(id);
const { path, namespaces } = document.body.dataset;
const rooms = new Map();
let socket = null;
let nsp = "/";
let target = null;

/** Return a new element with this text. */
function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

const shown = (value) => {
  const text = JSON.stringify(value, (_, each) => (each instanceof ArrayBuffer ? `binary, ${each.byteLength} bytes` : each));
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
};

/** Add a row to the stream; the oldest rows make room, and a reader who scrolled back stays where they are. */
function record(direction, event, args, isBad = false) {
  const list = byId("events");
  const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
  const row = element("li");
  const arrow = { in: "←", out: "→", local: "●" }[direction];
  row.append(
    element("time", new Date().toLocaleTimeString([], { hour12: false })),
    element("span", arrow, direction),
    element("strong", event, isBad ? "bad" : direction),
    element("span", args.map(shown).join(" "), "args"),
  );
  row.hidden = !matches(row);
  list.append(row);
  while (list.childElementCount > MAX_ROWS) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

const matches = (row) => row.textContent.toLowerCase().includes(byId("filter").value.toLowerCase());

function state(text, isBad = false) {
  byId("state").textContent = text;
  byId("state").className = isBad ? "bad" : "";
}

function connect(name) {
  socket?.disconnect();
  nsp = name;
  rooms.clear();
  target = null;
  const token = byId("token").value;
  socket = io(nsp, { path, forceNew: true, auth: token === "" ? undefined : { token } });
  socket.on("connect", () => {
    state(`connected to ${nsp} as ${socket.id}`);
    byId("token-form").hidden = true;
    record("local", "connected", [{ sid: socket.id, recovered: socket.recovered }]);
    if (!socket.recovered) for (const room of rooms.keys()) join(room);
  });
  socket.on("connect_error", (error) => {
    state(`${nsp} is not reachable: ${error.message}`, true);
    record("local", "refused", [error.message], true);
    byId("token-form").hidden = socket.active;
  });
  socket.on("disconnect", (reason) => {
    state(`disconnected: ${reason}`, true);
    record("local", "disconnected", [reason], true);
  });
  socket.onAny((event, ...args) => {
    // Last comes the callback of an acknowledgement, or else the offset where connections are recovered.
    const last = typeof args.at(-1) === "function" || socket._pid !== undefined ? args.length - 1 : args.length;
    record("in", event, args.slice(0, last));
    if (/^(join|leave|create|delete)-room$/.test(event)) refresh(args[0]?.room);
  });
  socket.onAnyOutgoing((event, ...args) => record("out", event, args));
  draw();
}

async function ask(event, ...args) {
  try {
    const answer = await socket.timeout(5000).emitWithAck(event, ...args);
    record("in", `ack ${event}`, [answer], Boolean(answer?.error));
    return answer ?? {};
  } catch (error) {
    record("local", `no ack of ${event}`, [error.message], true);
    return { error: error.message };
  }
}

async function join(room) {
  const nick = byId("nick").value;
  const answer = await ask("join", nick === "" ? { room } : { room, nick });
  if (answer.error) return;
  rooms.set(room, []);
  target ??= room;
  await refresh(room);
}

async function leave(room) {
  if ((await ask("leave", room)).error) return;
  rooms.delete(room);
  if (target === room) target = [...rooms.keys()][0] ?? null;
  draw();
}

/** Ask who is in a room, without a row for the question. */
function refresh(room) {
  if (!rooms.has(room) || !socket.connected) return draw();
  const quiet = socket.listenersAnyOutgoing().slice();
  socket.offAnyOutgoing();
  socket.emit("who", room, (answer) => {
    if (rooms.has(room) && Array.isArray(answer?.members)) rooms.set(room, answer.members);
    draw();
  });
  for (const listener of quiet) socket.onAnyOutgoing(listener);
  return draw();
}

function send(line) {
  if (line.startsWith("[")) {
    let packet;
    try {
      packet = JSON.parse(line);
    } catch (error) {
      return record("local", "not sent", [`not JSON: ${error.message}`], true);
    }
    if (typeof packet[0] !== "string") return record("local", "not sent", ['write ["event", argument…]'], true);
    return ask(...packet);
  }
  return ask("message", target === null ? line : { room: target, text: line });
}

function draw() {
  byId("prompt").textContent = target === null ? nsp : `${nsp} ${target}`;
  byId("rooms").replaceChildren(...[...rooms].map(([room, members]) => roomItem(room, members)));
  const url = location.origin === "http://localhost:3000" ? "" : ` -u ${location.origin}`;
  const place = nsp === "/" ? "" : ` -n ${nsp}`;
  const room = target ?? "lobby";
  byId("commands").textContent = [
    `nsroom connect${nsp === "/" ? "" : ` ${nsp}`}${url}`,
    `nsroom join ${quoted(room)}${place}${url}`,
    target === null ? `nsroom emit message 'hello'${place}${url}` : `echo hello | nsroom join ${quoted(room)} --stdin -W 1${place}${url}`,
  ].join("\n");
}

const quoted = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);

function roomItem(room, members) {
  const item = element("li");
  const label = element("label");
  const choice = Object.assign(element("input"), { type: "radio", name: "target", checked: room === target });
  choice.onchange = () => {
    target = room;
    draw();
  };
  label.append(choice, element("span", room));
  const button = Object.assign(element("button", "Leave"), { type: "button" });
  button.setAttribute("aria-label", `Leave ${room}`);
  button.onclick = () => leave(room);
  const name = element("div", "", "name");
  name.append(label, button);
  item.append(name, element("div", members.map((each) => each.nick ?? each.sid ?? String(each)).join(", "), "members"));
  return item;
}

function offer(name) {
  const label = element("label");
  const choice = Object.assign(element("input"), { type: "radio", name: "namespace", checked: name === nsp });
  choice.onchange = () => connect(name);
  label.append(choice, element("span", name));
  byId("namespaces").append(label);
}

for (const name of JSON.parse(namespaces)) offer(name);
byId("namespace-form").onsubmit = (event) => {
  event.preventDefault();
  const name = byId("namespace").value.replace(/^\/?/, "/");
  byId("namespace").value = "";
  connect(name);
  offer(name);
};
byId("join-form").onsubmit = (event) => {
  event.preventDefault();
  join(byId("room").value);
  byId("room").value = "";
};
byId("token-form").onsubmit = (event) => {
  event.preventDefault();
  connect(nsp);
};
byId("send-form").onsubmit = (event) => {
  event.preventDefault();
  const line = byId("line").value;
  byId("line").value = "";
  if (line !== "") send(line);
};
byId("filter").oninput = () => {
  for (const row of byId("events").children) row.hidden = !matches(row);
};
byId("clear").onclick = () => byId("events").replaceChildren();
connect(JSON.parse(namespaces)[0]);

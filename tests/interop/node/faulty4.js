// A Socket.IO 4 server as it goes wrong: `--forbid`, `--origin ORIGIN`, `--ping-interval MS`, `--path PATH`,
// `--transport NAME`, `--hang`. /hanging never answers, /late registers its handlers too late, /token wants a token;
// /kicked, /removed, /closed and /kicked-late disconnect everyone, as the event `guarded` does; `crash` ends the server.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { print } from "./lines.js";

const { values } = parseArgs({
  options: {
    forbid: { type: "boolean" },
    hang: { type: "boolean" },
    origin: { type: "string" },
    "ping-interval": { type: "string" },
    path: { type: "string" },
    transport: { type: "string" },
  },
});
const http = createServer();
const io = new Server(http, {
  ...(values.forbid && { allowRequest: (_request, done) => done("not from here", false) }),
  ...(values.origin && { cors: { origin: values.origin, credentials: true, allowedHeaders: ["x-known"] } }),
  ...(values["ping-interval"] && { pingInterval: Number(values["ping-interval"]) }),
  ...(values.path && { path: values.path }),
  ...(values.transport && { transports: [values.transport] }),
});

const answer = (socket) => {
  socket.on("hello", (...args) => args.at(-1)({ ok: true }));
  socket.on("slow", (...args) => setTimeout(args.at(-1), 1800, { ok: true }));
  socket.on("guarded", () => socket.disconnect());
  socket.on("crash", () => process.exit(1));
  socket.on("fail", (...args) => args.at(-1)({ error: "no" }));
};
if (values.hang) io.use(() => {});
io.on("connection", answer);
io.of("/hanging").use(() => {});
io.of("/late").on("connection", (socket) => setTimeout(answer, 300, socket));
io.of("/kicked").on("connection", (socket) => socket.disconnect(true));
io.of("/removed").on("connection", (socket) => socket.disconnect());
io.of("/closed").on("connection", (socket) => socket.conn.close());
io.of("/kicked-late").on("connection", (socket) => setTimeout(() => socket.disconnect(true), 300));
io.of("/token").use((socket, next) => {
  next(socket.handshake.auth.token === "right" ? undefined : Object.assign(new Error("who?"), { data: { code: 7 } }));
});
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));

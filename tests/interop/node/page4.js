// A Socket.IO 4 server with a page that uses it, compression, a sticky cookie and CORS for any origin.
// `--transports polling,websocket`; what the page reports is printed.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { Server } from "socket.io";
import { print } from "./lines.js";

const { values } = parseArgs({ options: { transports: { type: "string", default: "polling,websocket" } } });

function page(transports) {
  const socket = io({ transports, withCredentials: true, auth: { token: "hunter2" }, query: { token: "hunter2" } });
  const blob = new Uint8Array([0, 1, 2, 128, 255]);
  socket.on("connect", () => {
    socket.emit("hello", "π", { pad: "x".repeat(3000) }, blob, (...answer) => {
      const same = new Uint8Array(answer[2]).join() === blob.join();
      const transport = socket.io.engine.transport.name;
      socket.emit("report", { transport, text: answer[0], same, cookie: document.cookie }, () => socket.disconnect());
    });
  });
  socket.on("connect_error", (error) => fetch(`/error?${encodeURIComponent(error.message)}`));
}

const html = `<!doctype html><script src="/socket.io/socket.io.min.js"></script>
<script>(${page})(${JSON.stringify(values.transports.split(","))})</script>`;
const http = createServer((request, response) => {
  if (request.url.startsWith("/error")) print({ kind: "error", message: request.url });
  response.setHeader("Content-Type", "text/html; charset=utf-8").end(html);
});
const io = new Server(http, {
  cookie: { name: "io", sameSite: "strict" },
  cors: { origin: true, credentials: true },
  httpCompression: { threshold: 0 },
  perMessageDeflate: { threshold: 0 },
});
io.on("connection", (socket) => {
  const { headers } = socket.handshake;
  const { host, cookie, origin } = headers;
  print({ kind: "connect", host, origin, cookie, extensions: headers["sec-websocket-extensions"] });
  socket.on("hello", (...args) => args.pop()(...args));
  socket.on("report", (report, ack) => {
    print({ kind: "report", ...report, upgraded: socket.conn.transport.name });
    ack();
  });
  socket.on("disconnect", (reason) => print({ kind: "disconnect", reason }));
});
http.listen(0, "127.0.0.1", () => print({ listening: http.address().port }));

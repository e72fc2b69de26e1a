// Acknowledge everything, and send COUNT events of a kind: `jobs-server.cjs COUNT small|binary|large json|msgpack|deflate`.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const [count, kind, encoding] = process.argv.slice(2);
const item = (id) => ({ id, name: `name ${id}`, ok: true, x: id / 3, tags: ["a", "b"] });
const payload = {
  small: { text: "x".repeat(100) },
  binary: Buffer.alloc(100, 7),
  large: { items: Array.from({ length: 100 }, (_, id) => item(id)) },
}[kind];
const http = createServer();
const io = new Server(http, {
  maxHttpBufferSize: 1e8,
  perMessageDeflate: encoding === "deflate" && { threshold: 0 },
  ...(encoding === "msgpack" ? { parser: require("socket.io-msgpack-parser") } : {}),
});
io.on("connection", (socket) => {
  socket.onAny((_, ...args) => typeof args.at(-1) === "function" && args.at(-1)(1));
  setTimeout(() => {
    for (let number = 0; number < Number(count); number++) socket.emit("msg", payload, number);
  }, 700);
});
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ listening: http.address().port })));

// What a person writes instead of nsroom: `jobs.cjs emit|ack URL`, `jobs.cjs decode` or
// `jobs.cjs watch COUNT TRANSPORT PARSER URL`.
const { createInterface } = require("node:readline");
const { Decoder } = require("socket.io-parser");
const { io } = require("socket.io-client");

const lines = () => createInterface({ input: process.stdin });
const print = (value, replace) => process.stdout.write(JSON.stringify(value, replace) + "\n");
const inBase64 = (_, value) => (value?.type === "Buffer" ? Buffer.from(value.data).toString("base64") : value);

const jobs = {
  emit(url) {
    const socket = io(url, { transports: ["websocket"] });
    lines()
      .on("line", (line) => socket.emit(...JSON.parse(line)))
      .on("close", () => socket.emit("end", () => socket.close()));
  },
  ack(url) {
    const socket = io(url, { transports: ["websocket"] });
    let waiting = 1;
    const settle = () => --waiting || socket.close();
    lines()
      .on("line", (line) => ++waiting && socket.emit(...JSON.parse(line), settle))
      .on("close", settle);
  },
  decode() {
    const decoder = new Decoder();
    decoder.on("decoded", (packet) => print(packet));
    lines().on("line", (line) => decoder.add(line.slice(1)));
  },
  watch(count, transport, parser, url) {
    const options = parser === "msgpack" ? { parser: require("socket.io-msgpack-parser") } : {};
    const socket = io(url, { transports: [transport], ...options });
    let seen = 0;
    socket.onAny((event, ...args) => {
      const time = new Date().toISOString();
      print({ time, direction: "in", kind: "event", namespace: "/", event, args }, inBase64);
      if (++seen === Number(count)) socket.close();
    });
  },
};
const [job, ...args] = process.argv.slice(2);
jobs[job](...args);

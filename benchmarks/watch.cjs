// What a person writes instead of `nsroom connect --json -C COUNT`.
const { io } = require("socket.io-client");
const [count, url] = process.argv.slice(2);
const socket = io(url, { transports: ["websocket"] });
let seen = 0;
socket.onAny((event, ...args) => {
  console.log(JSON.stringify({ time: new Date().toISOString(), namespace: "/", event, args }));
  if (++seen === Number(count)) socket.disconnect();
});

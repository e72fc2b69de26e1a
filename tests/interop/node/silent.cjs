// An HTTP server without Socket.IO. `--own-signal`: it handles SIGUSR1 itself.
if (process.argv.includes("--own-signal")) process.on("SIGUSR1", () => console.log(JSON.stringify({ signal: true })));
const http = require("node:http").createServer((_request, response) => response.end("hello"));
http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ listening: http.address().port })));

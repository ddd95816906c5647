// Loaded before a server by others that would listen on every address: it listens on loopback alone, and says where.
const { Server } = require("node:net");

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  if (!["number", "string"].includes(typeof port)) return listen.call(this, port, ...rest);
  this.once("listening", () => process.stdout.write(`${JSON.stringify({ port: this.address().port })}\n`));
  return listen.call(this, Number(port), "127.0.0.1", ...rest.filter((one) => typeof one === "function"));
};

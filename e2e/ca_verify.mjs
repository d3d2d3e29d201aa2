// Which servers Node accepts: `node ca_verify.mjs NAME=PORT ...`, one line of JSON each. Roots by NODE_EXTRA_CA_CERTS.
import tls from "node:tls";
import net from "node:net";

for (const argument of process.argv.slice(2)) {
  const [name, port] = argument.split("=");
  const server = net.isIP(name) ? {} : { servername: name };
  const result = await new Promise((resolve) => {
    const options = { port: Number(port), ...server, checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate) };
    const socket = tls.connect(Number(port), "127.0.0.1", options, () => {
      socket.destroy();
      resolve("accepted");
    });
    socket.on("error", (error) => resolve(`refused: ${error.code}`));
  });
  console.log(result);
}

// proxy.mjs - a TCP proxy in front of a server, which misbehaves as a test asks

import { connect, createServer } from 'node:net';

export class Proxy {
  mode = 'pass'; // 'refuse', 'cut' (after the first bytes), 'garbage', 'swallow' (accepts, and passes nothing on)
  accepted = 0;
  swallowed = 0; // bytes
  #sockets = new Set();

  // In front of the server of a connection string, which url() then has with this proxy's address.
  static to(connectionString) {
    const proxy = new Proxy();
    proxy.target = new URL(connectionString);
    proxy.server = createServer((client) => proxy.#serve(client));
    return new Promise((resolve, reject) => {
      proxy.server.on('error', reject).listen(0, '127.0.0.1', () => resolve(proxy));
    });
  }

  url(parameters = '') {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.server.address().port}`;
    url.search = parameters;
    return url.href;
  }

  #serve(client) {
    this.accepted++;
    if (this.mode === 'refuse') return client.destroy();
    const server = connect(Number(this.target.port), this.target.hostname);
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on('error', () => {}).on('close', () => { this.#sockets.delete(from); to.destroy(); });
      from.on('data', (bytes) => this.#pass(bytes, client, to));
    }
    return undefined;
  }

  #pass(bytes, client, to) {
    if (this.mode === 'swallow') {
      this.swallowed += bytes.length;
    } else if (this.mode === 'garbage') {
      client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    } else if (this.mode === 'pass') {
      to.write(bytes);
    } else {
      client.destroy();
    }
  }

  // Breaks every connection.
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

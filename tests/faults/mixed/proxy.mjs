// proxy.mjs - a TCP proxy before PostgreSQL that knows its messages. It can lose a COMMIT before the server
// sees it, or lose the server's answer to it; it can stall, and refuse connections.
//
// Source: PostgreSQL manual, "Message Formats". Without TLS.

import { connect, createServer } from 'node:net';

// Cuts a stream into messages and passes each one to `each`, which returns false to stop.
class Frames {
  constructor(typed, each) {
    this.typed = typed; // false: the first message has no type
    this.each = each;
    this.rest = Buffer.alloc(0);
  }

  take(chunk) {
    this.rest = this.rest.length ? Buffer.concat([this.rest, chunk]) : chunk;
    for (;;) {
      const head = this.typed ? 1 : 0;
      if (this.rest.length < head + 4) return;
      const size = head + this.rest.readInt32BE(head);
      if (this.rest.length < size) return;
      const message = this.rest.subarray(0, size);
      this.rest = this.rest.subarray(size);
      const type = this.typed ? String.fromCharCode(message[0]) : '';
      this.typed = true;
      if (this.each(type, message) === false) return;
    }
  }
}

const textAt = (message, at) => message.toString('latin1', at, message.indexOf(0, at));

class Link {
  constructor(proxy, client) {
    this.proxy = proxy;
    this.client = client;
    this.server = connect({ host: '127.0.0.1', port: proxy.port });
    this.commits = new Set(); // names of prepared statements that commit
    this.held = [];           // while the proxy stalls: [socket, bytes]
    const up = new Frames(false, (type, message) => this.#toServer(type, message));
    const down = new Frames(true, (type, message) => this.#toClient(type, message));
    for (const [from, to, frames] of [[client, this.server, up], [this.server, client, down]]) {
      from.setNoDelay(true);
      from.on('data', (chunk) => frames.take(chunk));
      from.on('error', () => this.close());
      from.on('end', () => to.end());
      from.on('close', () => this.close());
    }
  }

  #pass(socket, message) {
    if (this.proxy.stalled) this.held.push([socket, Buffer.from(message)]);
    else socket.write(message);
    return true;
  }

  #toServer(type, message) {
    if (type === 'P') {
      const name = textAt(message, 5);
      if (textAt(message, 5 + name.length + 1) === 'COMMIT') this.commits.add(name);
      else this.commits.delete(name);
    }
    const portal = type === 'B' ? textAt(message, 5) : '';
    const commits = type === 'B' && this.commits.has(textAt(message, 5 + portal.length + 1));
    if (!commits || !this.proxy.strikes(this.proxy.loseBefore)) return this.#pass(this.server, message);
    this.proxy.commits.before++;
    this.client.destroy();
    this.server.end();
    return false;
  }

  #toClient(type, message) {
    const committed = type === 'C' && textAt(message, 5) === 'COMMIT';
    if (committed) this.proxy.commits.seen++;
    if (!committed || !this.proxy.strikes(this.proxy.loseAfter)) return this.#pass(this.client, message);
    this.proxy.commits.after++;
    this.close();
    return false;
  }

  release() {
    for (const [socket, bytes] of this.held.splice(0)) if (!socket.destroyed) socket.write(bytes);
  }

  close() {
    this.client.destroy();
    this.server.destroy();
    this.proxy.links.delete(this);
  }
}

export class Proxy {
  constructor(port, chance) {
    this.port = port;
    this.chance = chance;
    this.links = new Set();
    this.commits = { seen: 0, before: 0, after: 0 };
    this.heal();
  }

  strikes(share) {
    return share > 0 && this.chance.next() < share;
  }

  // Resolves to the proxy's own port.
  async listen() {
    this.listener = createServer((client) => {
      if (this.refuses) client.destroy();
      else this.links.add(new Link(this, client));
    });
    await new Promise((resolve) => { this.listener.listen(0, '127.0.0.1', resolve); });
    return this.listener.address().port;
  }

  heal() {
    this.loseBefore = this.loseAfter = 0; // shares of the COMMITs
    this.stalled = this.refuses = false;
    for (const link of this.links) link.release();
  }

  cutAll() {
    for (const link of [...this.links]) link.close();
  }

  close() {
    this.listener.close();
    this.cutAll();
  }
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';

/**
 * A program that answers `POST /empty` over TLS with a constant: what any claim over HTTPS costs at least. It is sent a
 * key with its certificate, and sends back its port.
 */
const [{ key, cert }] = (await once(process, 'message')) as [{ readonly key: string; readonly cert: string }];
const app = fastify({ https: { key, cert, minVersion: 'TLSv1.2' } });
app.post('/empty', async () => ({ epoch: 1, answers: [] }));
await app.listen({ host: '127.0.0.1', port: 0 });
// A TCP server that listens has an address of this form.
process.send?.((app.server.address() as AddressInfo).port);
process.once('disconnect', () => process.exit(0));

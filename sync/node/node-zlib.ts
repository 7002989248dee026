import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { Zlib } from '../../gate-agent/core/status-list.ts';

/** ZLIB of Node. */
export const nodeZlib: Zlib = {
	deflate: promisify(deflate),
	inflate: (bytes, bytesMax) => promisify(inflate)(bytes, { maxOutputLength: bytesMax }),
};

import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import Database from 'better-sqlite3';

/** The least that an offline admission must do: check one signature and make one row durable. */
export interface Floor {
	/** Does it once and returns the milliseconds it took. */
	once(): number;
	close(): void;
}

/** As long as what a compact ticket signs: its header and payload in base64url. */
const signedBytes = 110;

/** As long as a `granted` row of the journal. */
const rowBytes = 300;

/** Opens a floor with a database of its own, on the disk of the ledger and with its durability. */
export function openFloor(path: string): Floor {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	const message = randomBytes(signedBytes);
	const signature = sign(null, message, privateKey);
	const db = new Database(path);
	db.pragma('journal_mode = WAL');
	db.pragma('synchronous = FULL');
	db.exec('CREATE TABLE row (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT');
	const insert = db.prepare('INSERT INTO row (text) VALUES (?)');
	const text = randomBytes(rowBytes / 2).toString('hex');
	return {
		once: () => {
			const started = performance.now();
			if (!verify(null, message, publicKey, signature)) throw new Error('assertion failed: the signature is good');
			insert.run(text);
			return performance.now() - started;
		},
		close: () => db.close(),
	};
}

import pg from 'pg';

/**
 * Makes a pool whose connections may break at any moment, as they do when the database restarts. One that nobody uses
 * is replaced at the next use; one that breaks in use fails its statement, which says what is wrong. Without listeners
 * of their own both would end the process.
 */
export function createPool(config: pg.PoolConfig): pg.Pool {
	const pool = new pg.Pool(config);
	pool.on('error', () => undefined);
	pool.on('connect', (client) => void client.on('error', () => undefined));
	return pool;
}

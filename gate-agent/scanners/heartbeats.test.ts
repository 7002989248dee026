import { expect, it } from 'vitest';
import { StilewardError } from '../core/errors.ts';
import { heartbeats } from './heartbeats.ts';

const patience = { timeout: 10_000 };
const silent = new StilewardError('device_timeout', 'no answer');

/** A scanner that answers its questions so, then never again. */
function scanner(answers: readonly boolean[]) {
	let asked = 0;
	const ask = async () => {
		asked += 1;
		if (answers[asked - 1] !== true) throw silent;
	};
	return { ask, asked: () => asked };
}

it('three questions in a row without an answer are a loss, and nothing is asked after it', async () => {
	const { ask, asked } = scanner([true, false, false, true]);
	const beating = heartbeats(ask, 10);
	await expect(beating.lost).resolves.toMatchObject({ code: 'device_lost', cause: silent });
	expect(asked()).toBe(7);
	beating.stop();
});

it('who has stopped them hears of no loss, not even of a question that is under way', async () => {
	const question = Promise.withResolvers<void>();
	let asked = 0;
	const beating = heartbeats(() => {
		asked += 1;
		return question.promise;
	}, 1);
	await expect.poll(() => asked, patience).toBe(1);
	beating.stop();
	question.reject(silent);
	await question.promise.catch(() => {});
	expect(await Promise.race([beating.lost, 'none'])).toBe('none');
	expect(asked).toBe(1);
});

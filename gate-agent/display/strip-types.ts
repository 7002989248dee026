import { fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./strip-types-process.ts', import.meta.url));

/**
 * TypeScript sources as a browser runs them: types become spaces, so lines and columns stay as they are.
 *
 * A short-lived process does it. Node marks the function for this as experimental and warns on its first use: only
 * there is that one kind of warning switched off, so that every other warning of the agent is still printed. And the
 * compiler takes some 20 MB, which a gate does not keep. Rejects where a source is not erasable TypeScript; what is
 * wrong then stands on standard error.
 */
export async function stripTypes(sources: readonly string[]): Promise<readonly string[]> {
	const child = fork(program, {
		execArgv: ['--disable-warning=ExperimentalWarning'],
		env: { NODE_COMPILE_CACHE: getCompileCacheDir() },
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	});
	const answer = Promise.withResolvers<readonly string[]>();
	// The one sender is `strip-types-process.ts`, which answers with as many texts as it was sent.
	child.once('message', (stripped) => answer.resolve(stripped as readonly string[]));
	child.once('error', answer.reject);
	child.once('exit', (code) => answer.reject(new Error(`types could not be stripped (exit code ${code})`)));
	child.send(sources);
	return answer.promise;
}

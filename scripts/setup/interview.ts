/** One of several answers. */
export interface Choice<T> {
	readonly label: string;
	readonly value: T;
}

/** What was asked and what came, for the report. */
export interface Asked {
	readonly question: string;
	readonly answer: string;
	/** `typed`: keys were pressed. `acted`: somebody did something at the gate. */
	readonly by: 'typed' | 'acted';
}

/**
 * Questions to whoever stands at the gate. Its law: each question settles with an answer, or rejects with `setup_ended` once
 * the person gives up; every answer is counted.
 */
export interface Interview {
	readonly asked: readonly Asked[];
	say(text: string): void;
	/** One of these, by its number. */
	choose<T>(question: string, choices: readonly Choice<T>[]): Promise<T>;
	/** A line of text; an empty one is the fallback. */
	ask(question: string, fallback?: string): Promise<string>;
	confirm(question: string, fallback?: boolean): Promise<boolean>;
	/** Something that somebody does at the gate, or a typed line, whichever comes first. */
	act<T>(question: string, happened: Promise<T>): Promise<{ readonly acted: T } | { readonly typed: string }>;
	close(): void;
}

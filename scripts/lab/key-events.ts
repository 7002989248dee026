/** An event of QEMU's `input-send-event`. */
export interface KeyEvent {
	readonly type: 'key';
	readonly data: { readonly down: boolean; readonly key: { readonly type: 'qcode'; readonly data: string } };
}

/** QEMU's names of keys (qapi/ui.json, QKeyCode) that are not their character, on a US keyboard without shift. */
const plain: Readonly<Record<string, string>> = {
	...{ ' ': 'spc', '.': 'dot', ',': 'comma', '-': 'minus', '=': 'equal', '/': 'slash', '\\': 'backslash' },
	...{ ';': 'semicolon', "'": 'apostrophe', '`': 'grave_accent', '[': 'bracket_left', ']': 'bracket_right' },
	...{ '\n': 'ret', '\t': 'tab' },
};

/** Characters with shift, by the character of the same key without it. */
const shifted: Readonly<Record<string, string>> = {
	...{ '!': '1', '@': '2', '#': '3', $: '4', '%': '5', '^': '6', '&': '7', '*': '8', '(': '9', ')': '0' },
	...{ _: '-', '+': '=', '{': '[', '}': ']', '|': '\\', ':': ';', '"': "'", '~': '`', '<': ',', '>': '.', '?': '/' },
};

/** The edges of the keys that type a text, a group for each moment. */
export function* keyEvents(text: string): Generator<readonly KeyEvent[]> {
	for (const character of text) {
		const isUpper = /[A-Z]/.test(character);
		const needsShift = isUpper || character in shifted;
		const base = shifted[character] ?? character.toLowerCase();
		const key = plain[base] ?? base;
		yield [...(needsShift ? [edge('shift', true)] : []), edge(key, true)];
		yield [edge(key, false), ...(needsShift ? [edge('shift', false)] : [])];
	}
}

function edge(data: string, down: boolean): KeyEvent {
	return { type: 'key', data: { down, key: { type: 'qcode', data } } };
}

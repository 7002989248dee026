import { type Command, Option } from 'commander';
import { type Language, languages } from '../../gate-agent/checks/finding.ts';

/** Adds `--lang` to a command that speaks both languages. */
export function addLanguage(command: Command): Command {
	return command.addOption(
		new Option('--lang <language>', 'zh or en (default: as the system speaks)').choices(languages),
	);
}

/** The language that somebody asked for, else the system's: Chinese where that is Chinese, English for all others. */
export function languageOf(lang: Language | undefined): Language {
	return lang ?? (new Intl.DateTimeFormat().resolvedOptions().locale.startsWith('zh') ? 'zh' : 'en');
}

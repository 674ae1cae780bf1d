import type { ConfigFile } from '../config/config-file.ts';
import { signOffProblems } from '../config/stakeholders.ts';
import { allRules } from '../detection/rules.ts';
import { ruleProblems } from '../detection/settings.ts';
import { formatProblems } from '../sources/content/output-format.ts';
import { sourceNameProblems } from '../sources/source-for.ts';
import { playbookProblems } from './decide/playbooks.ts';
import { checkProblems } from './watch/check-output.ts';

/** What only shows when the configuration meets the rules, the sources and the checks of texts. */
export function misfits(file: ConfigFile): string[] {
  return [
    ...ruleProblems(file, allRules),
    ...sourceNameProblems(file.services, file.sources),
    ...formatProblems(file.services),
    ...checkProblems(file.services),
    ...playbookProblems(file),
    ...signOffProblems(file),
  ];
}

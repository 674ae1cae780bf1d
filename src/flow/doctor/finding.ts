import { ExternalError, InputError } from '../../errors.ts';

/** One line of the doctor. `problem` names what is wrong and its cure; `note` is something that is left out on purpose or not. */
export interface Finding {
  level: 'ok' | 'note' | 'problem';
  /** "Slack", "target of support-bot" */
  about: string;
  text: string;
}

export const ok = (about: string, text: string): Finding => ({ level: 'ok', about, text });
export const note = (about: string, text: string): Finding => ({ level: 'note', about, text });
export const problem = (about: string, text: string): Finding => ({ level: 'problem', about, text });

/** What looking found; what cannot be reached or read is a problem, with what to do about it. */
export async function found(about: string, cure: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (thrown) {
    if (!(thrown instanceof ExternalError || thrown instanceof InputError)) throw thrown;
    return [problem(about, `${thrown.message}. ${cure}`)];
  }
}

const MARK = { ok: 'ok     ', note: 'note   ', problem: 'PROBLEM' } as const;

/** One line each, problems last, where a terminal ends. */
export function reportOf(findings: readonly Finding[]): string {
  const order = (['ok', 'note', 'problem'] as const).flatMap((level) =>
    findings.filter((one) => one.level === level),
  );
  const lines = order.map(({ level, about, text }) => `${MARK[level]}  ${about}: ${oneLine(text)}`);
  const problems = findings.filter(({ level }) => level === 'problem').length;
  const end =
    problems === 0 ? 'Nothing is wrong.' : `${problems} ${problems === 1 ? 'problem' : 'problems'}.`;
  return [...lines, end].join('\n');
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

import type { Wanted } from './plan.ts';
import { problemWith } from './serving.ts';
import type { WantedShift } from './shift.ts';

/** What somebody asks for by `mitigate …`. */
export type Asked =
  | { kind: 'known-good' }
  | { kind: 'named'; wanted: Wanted[] }
  | { kind: 'shift'; shift: WantedShift }
  | { kind: 'stop'; mitigationId: number }
  | { kind: 'undo'; mitigationId: number }
  | { kind: 'reject' | 'withdraw' | 'break-glass'; mitigationId: number; reason: string }
  /** It is one of these, and something in it is wrong: what, in one sentence. */
  | { kind: 'wrong'; problem: string };

export const MITIGATE_USAGE =
  'Use `mitigate known-good`, `mitigate prompt NAME=VERSION`, `mitigate model ID` or `mitigate disable`. Also: `enable`, ' +
  '`disable TYPE` and `enable TYPE`, `fallback none|cached|simple|notice|queue`, `split MODEL PERCENT`, ' +
  '`shift MODEL|PROMPT=VERSION [all]`, `stop NUMBER`, ' +
  '`limit user|session|endpoint NAME PER_MINUTE`, `limit each user|session PER_MINUTE`, `limit … off`, `cap TOKENS|off`, `disclaimer TEXT|off`, ' +
  '`block PHRASE`, `unblock PHRASE`, `undo NUMBER`, `reject NUMBER REASON`, `withdraw NUMBER`, ' +
  '`break-glass NUMBER REASON`.';

type Reader = (argument: string) => Asked | null;

const READERS: Record<string, Reader> = {
  'known-good': (text) => (text === '' ? { kind: 'known-good' } : null),
  disable: (text) => wants(text === '' ? 'enabled' : `type:${text}`, false),
  enable: (text) => wants(text === '' ? 'enabled' : `type:${text}`, true),
  model: (text) => (text === '' ? null : wants('model', text)),
  prompt: (text) => {
    const [, name, version] = /^(?:([^=\s]+)=)?([^=\s]+)$/.exec(text) ?? [];
    return version === undefined ? null : wants(name === undefined ? 'prompt' : `prompt:${name}`, version);
  },
  fallback: (text) => (text === '' ? null : wants('fallback', text.toLowerCase())),
  split: (text) => {
    const [, model, percent] = /^(\S+)\s+(\d+(?:\.\d+)?)\s*%?$/.exec(text) ?? [];
    return model === undefined ? null : wants(`split:${model}`, Number(percent));
  },
  shift: (text) => {
    const [, arm, all] = /^(\S+)(\s+all)?$/i.exec(text) ?? [];
    return arm === undefined ? null : { kind: 'shift', shift: { arm, isAll: all !== undefined } };
  },
  stop: (text) => {
    const id = numberOf(text);
    return id === null ? null : { kind: 'stop', mitigationId: id };
  },
  limit: (text) => {
    const [, everyone, most = ''] = /^each\s+(user|session)\s+(\d+|off)$/i.exec(text) ?? [];
    if (everyone !== undefined) return wants(`limit:each ${everyone.toLowerCase()}`, numberOrOff(most));
    const [, kind = '', name, rate = ''] = /^(user|session|endpoint)\s+(.+?)\s+(\d+|off)$/i.exec(text) ?? [];
    return name === undefined ? null : wants(`limit:${kind.toLowerCase()} ${name}`, numberOrOff(rate));
  },
  cap: (text) => (/^(?:\d+|off)$/i.test(text) ? wants('token-cap', numberOrOff(text)) : null),
  disclaimer: (text) =>
    text === '' ? null : wants('disclaimer', text.toLowerCase() === 'off' ? null : text),
  block: (text) => (text === '' ? null : wants(`blocked:${text}`, true)),
  unblock: (text) => (text === '' ? null : wants(`blocked:${text}`, false)),
  undo: (text) => {
    const id = numberOf(text);
    return id === null ? null : { kind: 'undo', mitigationId: id };
  },
  reject: (text) => withReason('reject', text),
  withdraw: (text) => withReason('withdraw', text),
  'break-glass': (text) => withReason('break-glass', text),
};

/** Reads what follows `mitigate`; null for what is no such wish. */
export function readAsked(text: string): Asked | null {
  const [, word = '', argument = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  const name = word.toLowerCase();
  const asked = Object.hasOwn(READERS, name) ? (READERS[name]?.(argument.trim()) ?? null) : null;
  if (asked?.kind !== 'named') return asked;
  const problem = asked.wanted.map(problemWith).find((found) => found !== null);
  return problem == null ? asked : { kind: 'wrong', problem };
}

function withReason(kind: 'reject' | 'withdraw' | 'break-glass', text: string): Asked | null {
  const [, number = '', reason = ''] = /^(\S+)(?:\s+([\s\S]+))?$/.exec(text) ?? [];
  const mitigationId = numberOf(number);
  return mitigationId === null ? null : { kind, mitigationId, reason: reason.trim() };
}

const wants = (setting: string, to: Wanted['to']): Asked => ({ kind: 'named', wanted: [{ setting, to }] });

const numberOrOff = (text: string) => (text.toLowerCase() === 'off' ? null : Number(text));

const numberOf = (text: string) => (/^#?\d{1,9}$/.test(text) ? Number(text.replace('#', '')) : null);

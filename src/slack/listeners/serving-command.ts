import { describeServing } from '../../flow/ledger/describe-serving.ts';
import { readServingQuestion } from '../../flow/ledger/serving-question.ts';
import { milestonesOf } from '../../incident/incident-store.ts';
import { escapeLine, truncate } from '../mrkdwn.ts';
import { factLine } from '../views/outside-text.ts';
import type { Ask, Subcommand } from './ask.ts';

/** `status serving [SERVICE] [TIME] [TIME]`: what the ledger knows; in a room the service is implied. */
export const serving: Subcommand = async (ask) => {
  const { flow, incident } = ask;
  const read = readServingQuestion(ask.text, flow.clock.now());
  if (read.kind === 'wrong') return escapeLine(read.problem);
  const { service: named, times } = read.question;
  const service = named ?? incident?.service ?? onlyService(ask);
  if (service === null) return `Which service? ${servicesLine(ask)}`;
  const isOfRoom = incident !== null && incident.service === service;
  const lines = await describeServing(flow, {
    service,
    environment: isOfRoom ? incident.environment : flow.config.environment,
    times,
    onset: isOfRoom ? ((await milestonesOf(flow.db, incident.id)).started ?? incident.created_at) : null,
    isInRoom: isOfRoom,
  });
  const [heading = '', ...rest] = lines.map((line) => factLine(line, 500));
  return truncate([`*${heading}*`, ...rest.map((line) => `• ${line}`)].join('\n'), 2900);
};

function onlyService({ flow }: Ask): string | null {
  const names = Object.keys(flow.config.services);
  return names.length === 1 ? (names[0] as string) : null;
}

function servicesLine({ flow }: Ask): string {
  const names = Object.keys(flow.config.services);
  return names.length === 0
    ? 'None is configured; name it as its calls do.'
    : `Configured: ${names.map((name) => `\`${escapeLine(name)}\``).join(', ')}.`;
}

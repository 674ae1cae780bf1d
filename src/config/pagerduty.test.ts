import { expect, test } from 'vitest';
import { InputError } from '../errors.ts';
import { loadConfig } from './config.ts';
import { parseConfigFile } from './config-file.ts';

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    return thrown.problems;
  }
}

test('a-service-pages-by-its-own-keys-which-are-named-and-never-written', () => {
  const file = (pagerduty: object) =>
    problemsOf(() =>
      parseConfigFile(JSON.stringify({ services: { bot: { pagerduty } } }), { KEY: 'k', TOKEN: 't' }),
    );
  expect(file({ routing_key: '${KEY}', token: '${TOKEN}', from: 'bot@example.test' })).toEqual([]);
  expect(file({ routing_key: 'plain', webhook_secret: 'plain', token: 'plain' })).toEqual([
    expect.stringMatching(/^services\.bot\.pagerduty\.routing_key: must name an environment variable/),
    expect.stringMatching(/^services\.bot\.pagerduty\.webhook_secret: must name/),
    expect.stringMatching(/^services\.bot\.pagerduty\.token: must name/),
    expect.stringMatching(/^services\.bot\.pagerduty: with a token of its own it needs from/),
  ]);
  expect(file({ escalation_policy: 'P1' })).toEqual([
    'services.bot.pagerduty: must name the PagerDuty service, or a routing_key',
  ]);
});

test('people-are-ids-on-both-sides', () => {
  expect(problemsOf(() => parseConfigFile('people: {PABC123: ann, ann@x.test: U1}', {}))).toEqual([
    expect.stringContaining('people.PABC123: must be a Slack user id'),
    expect.stringContaining('people.ann@x.test: '),
  ]);
});

test('a-scoped-app-is-named-whole-or-not-at-all', () => {
  const slack = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 's', LLM_INCIDENT_CONFIG: 'none.yaml' };
  expect(problemsOf(() => loadConfig({ ...slack, PAGERDUTY_CLIENT_ID: 'id' }))).toEqual(
    ['PAGERDUTY_CLIENT_SECRET', 'PAGERDUTY_ACCOUNT', 'PAGERDUTY_FROM'].map(
      (name) => `${name}: is needed for the PagerDuty app`,
    ),
  );
});

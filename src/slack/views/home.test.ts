import { expect, test } from 'vitest';
import { type HomeIncident, type HomeState, homeFor, INCIDENTS_PER_PAGE } from '../../flow/room/home.ts';
import { viewProblems } from '../block-kit-limits.ts';
import { renderHome } from './home.ts';

const HOSTILE = `<!channel> @here *x* ${'word & '.repeat(200)}`;
const AT = new Date('2026-11-22T02:31:00Z');

function incident(id: number, rest: Partial<HomeIncident> = {}): HomeIncident {
  return {
    id,
    title: HOSTILE,
    severity: id % 3 === 0 ? 'sev1' : 'sev2',
    category: 'quality',
    status: 'open',
    service: HOSTILE,
    environment: 'staging',
    channelId: `C${id}`,
    since: AT,
    private: false,
    drill: true,
    ...rest,
  };
}

function fullState(n: number): HomeState {
  const ids = Array.from({ length: n }, (_, index) => index + 1);
  return {
    incidents: ids.map((id) => incident(id)),
    asks: ids.map((id) => ({
      kind: 'approve' as const,
      incidentId: id,
      channelId: `C${id}`,
      text: HOSTILE,
      dueAt: AT,
      people: ['U1'],
    })),
    clocks: ids.map((id) => ({ incidentId: id, channelId: `C${id}`, what: 'contain', dueAt: AT })),
    services: ids.map((id) => ({
      service: `${HOSTILE}${id}`,
      environment: HOSTILE,
      state: 'firing' as const,
      detail: HOSTILE,
    })),
    warnings: ids.map(() => ({ service: HOSTILE, rule: 'quality.score', since: AT })),
  };
}

const all = new Set<number>();
const text = (home: object) => JSON.stringify(home);

test('five-hundred-incidents-stay-within-the-limits-on-every-page', () => {
  const state = fullState(500);
  const seen = new Set<number>();
  for (let page = 0; page < 40; page += 1) {
    const home = homeFor(state, { person: 'U1', maySee: all, page });
    expect(viewProblems(renderHome(home))).toEqual([]);
    for (const { id } of home.incidents) seen.add(id);
  }
  expect(seen.size).toBe(500);
  const first = homeFor(state, { person: 'U1', maySee: all, page: 0 });
  expect(first.incidents).toHaveLength(INCIDENTS_PER_PAGE);
  expect(first.incidents.every(({ severity }) => severity === 'sev1')).toBe(true);
  expect(text(renderHome(first))).toContain('Open incidents: 500');
  expect(text(renderHome(first))).not.toContain('<!channel>');
});

test('a-private-incident-is-there-for-its-people-only', () => {
  const state = fullState(3);
  state.incidents.push(incident(77, { private: true, title: 'the marker' }));
  state.asks.push({
    kind: 'action',
    incidentId: 77,
    channelId: 'C77',
    text: 'the marker',
    dueAt: null,
    people: ['U1', 'U2'],
  });
  state.clocks.push({ incidentId: 77, channelId: 'C77', what: 'contain', dueAt: AT });
  const inside = renderHome(homeFor(state, { person: 'U1', maySee: new Set([77]), page: 0 }));
  const outside = renderHome(homeFor(state, { person: 'U2', maySee: all, page: 0 }));
  expect(text(inside)).toContain('the marker');
  expect(text(inside)).toContain('Open incidents: 4');
  expect(text(outside)).not.toContain('the marker');
  expect(text(outside)).not.toContain('INC-77');
  expect(text(outside)).toContain('Open incidents: 3');
});

test('what-waits-for-somebody-is-not-shown-to-another', () => {
  const state = fullState(1);
  expect(text(renderHome(homeFor(state, { person: 'U2', maySee: all, page: 0 })))).toContain(
    'Nothing waits for you.',
  );
  const empty = { incidents: [], asks: [], clocks: [], services: [], warnings: [] };
  const home = renderHome(homeFor(empty, { person: 'U1', maySee: all, page: 3 }));
  expect(viewProblems(home)).toEqual([]);
  expect(text(home)).toContain('No open incidents');
});

import type { Category, IncidentStatus, Severity } from '../../db/schema.ts';

/** One open incident on App Home; texts of people are raw. */
export interface HomeIncident {
  id: number;
  title: string;
  severity: Severity;
  category: Category;
  status: IncidentStatus;
  service: string | null;
  environment: string;
  channelId: string | null;
  since: Date;
  private: boolean;
  drill: boolean;
}

/** Something that one person is asked for. */
export interface HomeAsk {
  kind: 'approve' | 'acknowledge' | 'action' | 'lease' | 'postmortem';
  incidentId: number | null;
  channelId: string | null;
  text: string;
  dueAt: Date | null;
}

export interface HomeClock {
  incidentId: number;
  channelId: string | null;
  what: string;
  dueAt: Date;
}

export interface HomeService {
  service: string;
  environment: string;
  state: 'incident' | 'firing' | 'blind' | 'ok';
  /** "quality.score since 02:31 UTC" */
  detail: string | null;
}

/** What App Home shows to one person. */
export interface HomeView {
  incidents: HomeIncident[];
  /** Of all open ones that this person may see. */
  counts: Record<Severity, number>;
  page: number;
  pages: number;
  asks: HomeAsk[];
  clocks: HomeClock[];
  services: HomeService[];
  warnings: { service: string; rule: string; since: Date }[];
}

/** What is known of everything, before anybody looks at it. */
export interface HomeState {
  incidents: HomeIncident[];
  /** Asks, each with the people whom it is for. */
  asks: (HomeAsk & { people: readonly string[] })[];
  clocks: HomeClock[];
  services: HomeService[];
  warnings: HomeView['warnings'];
}

export const INCIDENTS_PER_PAGE = 15;
const SEVERITY_ORDER: readonly Severity[] = ['sev1', 'sev2', 'sev3'];

/**
 * App Home of one person. Policy: what belongs to an incident that this person may not see is not there, and is counted
 * nowhere. The worst and newest incidents come first.
 */
export function homeFor(
  state: HomeState,
  { person, maySee, page }: { person: string; maySee: ReadonlySet<number>; page: number },
): HomeView {
  const visible = state.incidents
    .filter((incident) => !incident.private || maySee.has(incident.id))
    .toSorted(
      (a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) || b.id - a.id,
    );
  const hidden = new Set(
    state.incidents.filter((incident) => !visible.includes(incident)).map(({ id }) => id),
  );
  const isShown = ({ incidentId }: { incidentId: number | null }) =>
    incidentId === null || !hidden.has(incidentId);
  const pages = Math.max(1, Math.ceil(visible.length / INCIDENTS_PER_PAGE));
  const shown = Math.min(Math.max(0, page), pages - 1);
  const count = (severity: Severity) => visible.filter((one) => one.severity === severity).length;
  return {
    incidents: visible.slice(shown * INCIDENTS_PER_PAGE, (shown + 1) * INCIDENTS_PER_PAGE),
    counts: { sev1: count('sev1'), sev2: count('sev2'), sev3: count('sev3') },
    page: shown,
    pages,
    asks: state.asks
      .filter((ask) => ask.people.includes(person) && isShown(ask))
      .map(({ people: _people, ...ask }) => ask)
      .sort((a, b) => (a.dueAt?.getTime() ?? Infinity) - (b.dueAt?.getTime() ?? Infinity)),
    clocks: state.clocks.filter(isShown).sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime()),
    services: state.services,
    warnings: state.warnings,
  };
}

import type { EvalCase } from '../eval-case.ts';

/** What an incident leaves behind, ready to leave the room; nothing in it needs redaction any more. */
export interface ExportDocument {
  /** "INC-12" */
  readonly incident: string;
  readonly title: string;
  readonly service: string | null;
  readonly declaredAt: Date;
  readonly cases: readonly EvalCase[];
  /** The same as files: postmortem.md, and evals.yaml and evals.jsonl where there are cases. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What postmortem.md shows, under the relative path by which it does. */
  readonly pictures: readonly Picture[];
  readonly actions: readonly ExportedAction[];
}

/** A chart, or a file that somebody shared in the room. */
export interface Picture {
  readonly path: string;
  /** Together they may be large: read one at a time. */
  read(): Promise<Buffer>;
}

export interface ExportedAction {
  readonly id: number;
  readonly text: string;
  /** Slack user id, and as the document names that person. */
  readonly owner: string | null;
  readonly ownerName: string;
  readonly dueAt: Date | null;
}

/**
 * What was done, in a sentence without its full stop, and where it can be seen. `unchanged`: all of it was there
 * already. `left`: somebody changed what is there, so it was left alone; people are told, and nothing tries again.
 */
export interface ExportReceipt {
  readonly outcome: 'exported' | 'unchanged' | 'left';
  readonly text: string;
  readonly url: string | null;
  /** Where action items stand now. */
  readonly links?: readonly ActionLink[];
}

export interface ActionLink {
  readonly action: number;
  readonly url: string;
  /** "#12" */
  readonly label: string;
}

/**
 * Keeps the document somewhere. It is asked again after a failure and whenever the document was written again, so asking
 * twice must keep it once. Throws ExternalError: one that is `retryable` is tried again soon, any other every hour for
 * a day.
 */
export interface Exporter {
  /** Short, of letters and hyphens; it names the exporter in rows and in sentences. */
  readonly name: string;
  /** What of an incident it takes; nothing of one for which this is false. */
  takes(about: ExportedIncident): boolean;
  export(document: ExportDocument): Promise<ExportReceipt>;
}

export interface ExportedIncident {
  readonly private: boolean;
  readonly drill: boolean;
}

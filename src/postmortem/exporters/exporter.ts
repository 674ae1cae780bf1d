import type { EvalCase } from '../eval-case.ts';

/** What an incident leaves behind, ready to leave the room; nothing in it needs redaction any more. */
export interface ExportDocument {
  /** "INC-12" */
  readonly incident: string;
  readonly title: string;
  readonly service: string | null;
  readonly cases: readonly EvalCase[];
  /** The same as files: postmortem.md, and evals.yaml and evals.jsonl where there are cases. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

/** What was done, in a sentence, and where it can be seen. */
export interface ExportReceipt {
  readonly text: string;
  readonly url: string | null;
}

/**
 * Keeps the document somewhere. It is asked again after a failure and whenever the document was written again, so asking
 * twice must keep it once. Throws ExternalError.
 */
export interface Exporter {
  readonly name: string;
  export(document: ExportDocument): Promise<ExportReceipt>;
}

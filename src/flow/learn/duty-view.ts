import type { SigningRole } from '../../postmortem/duty.ts';

/** The post-mortem in its room; texts are raw. */
export interface PostmortemView {
  incidentId: number;
  summary: string;
  /** What somebody must still do before it is done, one sentence each. */
  left: string[];
  /** What else the record lacks and nobody can make up for. */
  lacks: string[];
  owner: { id: string; name: string } | null;
  /** False for whoever took it just now: nobody is called by what they did themselves. */
  callsOwner: boolean;
  dueAt: Date | null;
  /** Whose sign-offs stand, and whose are still needed. */
  signedBy: string[];
  unsigned: SigningRole[];
  isClosed: boolean;
}

/** A direct message about a post-mortem that somebody must write. */
export interface DutyView {
  incidentId: number;
  /** "is due in 24 hours" */
  state: string;
  /** Null of a private incident: then it says where to look and no more. */
  title: string | null;
  roomId: string | null;
  /** Named to the engineering lead; null where the reader is the owner or nobody is. */
  owner: string | null;
  left: string[];
}

/** The five questions with what answers them now; outside text is raw. */
export interface CharacteristicsView {
  incidentId: number;
  questions: {
    question: string;
    asked: string;
    answer: string | null;
    /** Who answered; null: the evidence. */
    by: string | null;
    /** What the evidence says beside a person's answer. */
    evidence: string | null;
  }[];
  /** Failing examples can be sent again from here. */
  mayReproduce: boolean;
}

/**
 * Asks before something is done, and says what will change:
 *
 *   const confirm = useConfirm();
 *   if (await confirm({ title, changes: [...], action: t("delete"), danger: true }))
 */
import {
  createContext,
  lazy,
  Suspense,
  use,
  useCallback,
  useState,
  type ReactNode,
} from "react";
import { useTranslation } from "react-i18next";

import { Button } from "./button";

const Dialog = lazy(async () => ({ default: (await import("./dialog")).Dialog }));

export interface Question {
  title: string;
  body?: ReactNode;
  /** What will be different afterwards, one line each. */
  changes?: ReactNode[];
  /** The word on the button that does it. */
  action: string;
  danger?: boolean;
}

type Ask = (question: Question) => Promise<boolean>;
const Context = createContext<Ask | null>(null);

export function useConfirm(): Ask {
  const ask = use(Context);
  if (!ask) throw new Error("useConfirm outside ConfirmProvider");
  return ask;
}

interface Pending {
  question: Question;
  answer: (yes: boolean) => void;
}

export function ConfirmProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [pending, setPending] = useState<Pending | null>(null);
  const ask = useCallback<Ask>(
    (question) =>
      new Promise((answer) => {
        setPending({ question, answer });
      }),
    [],
  );
  const answer = (yes: boolean) => {
    pending?.answer(yes);
    setPending(null);
  };
  const question = pending?.question;

  return (
    <Context value={ask}>
      {children}
      {question && (
        <Suspense>
        <Dialog
          open
          onOpenChange={(open) => !open && answer(false)}
          title={question.title}
          className="top-[18vh] max-w-md"
          footer={
            <>
              <Button autoFocus={question.danger} onClick={() => answer(false)}>
                {t("cancel")}
              </Button>
              <Button
                kind={question.danger ? "danger" : "primary"}
                onClick={() => answer(true)}
                autoFocus={!question.danger}
              >
                {question.action}
              </Button>
            </>
          }
        >
          {question.body && <div className="text-soft">{question.body}</div>}
          {question.changes && question.changes.length > 0 && (
            <ul className="mt-3 space-y-1.5 rounded-md border border-line bg-sunken px-3 py-2.5 text-xs text-soft first:mt-0">
              {question.changes.map((change, i) => (
                <li key={i} className="flex gap-2">
                  <span aria-hidden className="text-muted">
                    →
                  </span>
                  <span>{change}</span>
                </li>
              ))}
            </ul>
          )}
        </Dialog>
        </Suspense>
      )}
    </Context>
  );
}

/** Aborts with its parent, or when it is ended. */
export interface ChildSignal {
  signal: AbortSignal;
  end(): void;
}

/** A signal that its parent lets go of: `AbortSignal.any` keeps an entry for the parent's whole life on Node 20. */
export function childSignal(parent: AbortSignal): ChildSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    end() {
      parent.removeEventListener("abort", abort);
      controller.abort();
    },
  };
}

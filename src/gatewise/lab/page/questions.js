// Questions to the lab, on this machine.

export async function facts() {
  return told(await fetch("api/lab"));
}

export async function ask(path, question) {
  return told(await fetch("api/" + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(question),
  }));
}

async function told(response) {
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// Asks one question at a time; of those that come up meanwhile, only the last one is asked.
export function latest(asking, show, fail) {
  let busy = false;
  let waiting = null;
  return async (question) => {
    waiting = { question };
    if (busy) return;
    busy = true;
    while (waiting) {
      const now = waiting;
      waiting = null;
      try {
        const answer = await asking(now.question);
        if (!waiting) show(answer, now.question);
      } catch (problem) {
        if (!waiting) fail(problem);
      }
    }
    busy = false;
  };
}

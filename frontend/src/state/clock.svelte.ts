/** A clock that ticks once a second, so that ages and countdowns move without anything else happening. */
export class Clock {
  now = $state(Date.now());

  start(): () => void {
    const timer = setInterval(() => {
      this.now = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }
}

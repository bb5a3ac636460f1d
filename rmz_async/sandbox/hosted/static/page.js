"use strict";
document.querySelector("[data-print]")?.addEventListener("click", () => print());
// Counts the seconds down that the server said are left, because the sandbox's clock is not this
// browser's. Without this script the page shows the time at which it ends.
for (const place of document.querySelectorAll("[data-seconds-left]")) {
  const language = document.documentElement.lang === "ar" ? "ar-SA-u-nu-arab" : "en";
  const two = new Intl.NumberFormat(language, { minimumIntegerDigits: 2, useGrouping: false });
  const end = performance.now() + Number(place.dataset.secondsLeft) * 1000;
  const show = () => {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    place.textContent = `${two.format(Math.floor(left / 60))}:${two.format(left % 60)}`;
    if (left === 0) {
      location.reload();
    }
    return left;
  };
  if (show() > 0) {
    const timer = setInterval(() => show() > 0 || clearInterval(timer), 1000);
  }
}

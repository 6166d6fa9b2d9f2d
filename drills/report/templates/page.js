// A hair line under the pointer that tells the time. The page says everything without it.
for (const chart of document.querySelectorAll(".chart")) {
  const behind = chart.querySelector(".behind"), cross = chart.querySelector(".cross"), label = cross.firstElementChild;
  const { begin, seconds } = chart.dataset;
  chart.addEventListener("pointermove", (event) => {
    const room = behind.getBoundingClientRect(), share = (event.clientX - room.left) / room.width;
    cross.hidden = share < 0 || share > 1;
    const at = Number(begin) + share * Number(seconds);
    cross.style.left = `${share * 100}%`;
    cross.classList.toggle("turned", share > 0.9);
    label.textContent = `${at < 0 ? "\u2212" : "+"}${Math.abs(at).toFixed(seconds < 20 ? 2 : 1)} s`;
  });
  chart.addEventListener("pointerleave", () => { cross.hidden = true; });
}

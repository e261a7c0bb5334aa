// What the page can do beyond being read, from the numbers that it brings.
//
// Written without a library. The smallest for plots (uPlot, MIT) is nearly twice the size of all these
// files, d3 (ISC) ten times, in every page; and neither draws subjects, keeps an address or lets
// readers choose a mark by keyboard, which is most of what is here.
{
  const brought = document.getElementById("live-numbers");
  if (brought) {
    const { model, subjects } = JSON.parse(brought.textContent);
    const [again, picture] = ["draw-again", "intraclass"].map((id) => document.getElementById(id));
    if (again) drawAgain(again, model);
    if (picture) intraclassPicture(picture, model);
    if (subjects) chooseSubject(subjects);
  }
}

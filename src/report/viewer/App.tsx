import { Bar, type SectionLink } from './sections/Bar.tsx';
import { DiagramSection } from './sections/DiagramSection.tsx';
import { EvidenceSection } from './sections/EvidenceSection.tsx';
import { ExpectedView } from './sections/ExpectedView.tsx';
import { Help, Toast } from './sections/Help.tsx';
import { Inspector } from './sections/Inspector.tsx';
import { ObjectsSection } from './sections/ObjectsSection.tsx';
import { PlanSection } from './sections/PlanSection.tsx';
import { PropertiesSection } from './sections/PropertiesSection.tsx';
import { StorySection } from './sections/StorySection.tsx';
import { Verdict } from './sections/Verdict.tsx';
import { useMedia } from './use-layout.ts';
import { useView } from './view-context.ts';

/** One scrolling page in a fixed order; a section without content is left out, and so is its link. */
export function App() {
  const { report } = useView().index;
  const narrow = useMedia('(max-width: 1180px)');
  const { story, expected } = report;
  const diagram = report.events.length > 0;
  const links: readonly (SectionLink | false)[] = [
    story !== undefined && { id: 'story', label: 'Story' },
    diagram && { id: 'diagram', label: 'Diagram' },
    expected !== undefined && { id: 'expected', label: 'Expected' },
    report.objects.length > 0 && { id: 'objects', label: 'Objects' },
    { id: 'plan', label: 'Faults' },
    { id: 'properties', label: 'Properties' },
    { id: 'evidence', label: 'Evidence' },
  ];
  return (
    <>
      <a class="skip" href={story === undefined ? '#plan' : '#story'}>
        Skip to the story
      </a>
      <Bar links={links.filter((link) => link !== false)} />
      <main class="wrap">
        <Verdict />
        <div class={`cols${diagram && !narrow.value ? '' : ' single'}`}>
          <div class="maincol">
            {story !== undefined && <StorySection story={story} />}
            {diagram && <DiagramSection />}
            {diagram && narrow.value && <Inspector inline />}
            {expected !== undefined && <ExpectedView expected={expected} />}
            {report.objects.length > 0 && <ObjectsSection />}
            <PlanSection plan={report.plan} />
            <PropertiesSection rows={report.properties} />
            <EvidenceSection evidence={report.evidence} />
          </div>
          {diagram && !narrow.value && <Inspector inline={false} />}
        </div>
        <footer>
          <span>seatrial</span>
          <span>One file, no network. Times are virtual, true time of the simulation unless a node is named.</span>
          <span>Held means held in this run, not proved.</span>
        </footer>
      </main>
      <Help />
      <Toast />
    </>
  );
}

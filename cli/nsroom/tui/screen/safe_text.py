"""Show invisible and control characters in the input, which may be pasted from anywhere."""

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from nsroom.output.terminal import safe


class SafeText(Processor):
    """Escapes control, bidi and zero-width characters in an input line."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Escape the characters, and map the cursor position to the longer text."""
        starts, shown = [0], []
        for style, text, *_ in explode_text_fragments(transformation_input.fragments):
            shown.append((style, safe(text)))
            starts.append(starts[-1] + len(shown[-1][1]))
        fragments: StyleAndTextTuples = list(shown)
        return Transformation(
            fragments,
            source_to_display=lambda at: starts[at] if at < len(starts) else starts[-1] + at - len(shown),
            display_to_source=lambda at: sum(start <= at for start in starts) - 1,
        )

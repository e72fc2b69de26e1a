"""What a person types or pastes, shown so that nothing of it hides or moves the cursor."""

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from nsroom.output.terminal import safe


class SafeText(Processor):
    """Shows what was typed or pasted as safe text: bidi and zero-width characters too."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Escape what hides, and tell where the cursor is now."""
        starts, shown = [0], []
        for style, text, *_ in explode_text_fragments(transformation_input.fragments):
            shown.append((style, safe(text)))
            starts.append(starts[-1] + len(shown[-1][1]))
        made: StyleAndTextTuples = list(shown)
        return Transformation(
            made,
            source_to_display=lambda at: starts[at] if at < len(starts) else starts[-1] + at - len(shown),
            display_to_source=lambda at: sum(start <= at for start in starts) - 1,
        )

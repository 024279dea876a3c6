using System.Globalization;

namespace DynNet.Native.Benchmarks;

/// <summary>A binary tree with a label at every node, and a word at each leaf.</summary>
internal sealed class Tree
{
    // The lengths of the sentences and the height of their trees are those of the Stanford Sentiment Treebank.
    private const int Count = 2000;
    private const int Vocabulary = 18_000;
    private const double MeanLength = 19;
    private const double LengthDeviation = 9.3;
    private const double RightBranching = 0.55;
    private const int Labels = 5;

    public int Word { get; private init; }

    public int Label { get; private init; }

    public Tree? Left { get; private init; }

    public Tree? Right { get; private init; }

    /// <summary>How many words it has.</summary>
    public int Leaves { get; private init; } = 1;

    /// <summary>Reads trees from a file, or makes some; and tells the size of the vocabulary.</summary>
    public static Tree[] All(string? file, out int words)
    {
        if (file is null)
        {
            words = Vocabulary;
            var random = new Random(Options.Seed);
            var vocabulary = new Zipf(Vocabulary, random);
            return
            [
                .. Enumerable.Range(0, Count)
                    .Select(_ => Make(random, vocabulary, random.NextLength(MeanLength, LengthDeviation))),
            ];
        }
        var numbers = new Numbering();
        Tree[] trees =
        [
            .. File.ReadLines(file).Select(line =>
            {
                int at = 0;
                return Parse(line, ref at, numbers);
            }),
        ];
        words = numbers.Count;
        return trees;
    }

    private static Tree Make(Random random, Zipf vocabulary, int leaves)
    {
        int label = random.Next(Labels);
        if (leaves == 1)
            return new Tree { Word = vocabulary.Next(), Label = label };
        int left = random.NextDouble() < RightBranching ? 1 : random.Next(1, leaves);
        return Join(label, Make(random, vocabulary, left), Make(random, vocabulary, leaves - left));
    }

    private static Tree Join(int label, Tree left, Tree right) =>
        new() { Label = label, Left = left, Right = right, Leaves = left.Leaves + right.Leaves };

    // (label word) or (label tree tree); a node with one child is that child.
    private static Tree Parse(string line, ref int at, Numbering numbers)
    {
        Expect(line, ref at, '(');
        int space = line.IndexOf(' ', at);
        int label = int.Parse(line.AsSpan(at..space), CultureInfo.InvariantCulture);
        at = space + 1;
        Tree tree;
        if (line[at] == '(')
        {
            tree = Parse(line, ref at, numbers);
            if (line[at] == ' ')
            {
                at++;
                tree = Join(label, tree, Parse(line, ref at, numbers));
            }
        }
        else
        {
            int end = line.IndexOf(')', at);
            tree = new Tree { Label = label, Word = numbers[line[at..end]] };
            at = end;
        }
        Expect(line, ref at, ')');
        return tree;
    }

    private static void Expect(string line, ref int at, char expected)
    {
        if (at >= line.Length || line[at] != expected)
            throw new IOException($"Not a tree: '{expected}' is missing at character {at} of {line}");
        at++;
    }
}

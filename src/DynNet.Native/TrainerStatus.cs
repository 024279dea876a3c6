using System.Globalization;

namespace DynNet.Native;

/// <summary>What a trainer did since it was last asked: DyNet's <c>status()</c>.</summary>
/// <param name="LearningRate">
/// The rate of the next update; with a <see cref="Trainer.Schedule"/>, that of the latest.
/// </param>
/// <param name="ClipsCount">The updates whose gradients were clipped.</param>
/// <param name="UpdatesCount">The updates.</param>
public readonly record struct TrainerStatus(double LearningRate, long ClipsCount, long UpdatesCount)
{
    /// <summary>The numbers as DyNet prints them.</summary>
    /// <returns>Such as <c>[lr=0.1 clips=3 updates=100]</c>.</returns>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"[lr={LearningRate} clips={ClipsCount} updates={UpdatesCount}]");
}

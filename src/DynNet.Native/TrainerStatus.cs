using System.Globalization;

namespace DynNet.Native;

/// <summary>What a trainer did since it was last asked: DyNet's <c>status()</c>.</summary>
/// <param name="LearningRate">
/// The rate of the next update; with a <see cref="Trainer.Schedule"/>, that of the latest.
/// </param>
/// <param name="ClipCount">The updates whose gradients were clipped.</param>
/// <param name="UpdateCount">The updates.</param>
public readonly record struct TrainerStatus(double LearningRate, long ClipCount, long UpdateCount)
{
    /// <summary>The numbers as DyNet prints them: of the rate six digits.</summary>
    /// <returns>Such as <c>[lr=0.1 clips=3 updates=100]</c>.</returns>
    public override string ToString()
    {
        // 1e-05, as C++ has it, and not 1E-05.
        string rate = LearningRate.ToString("G6", CultureInfo.InvariantCulture).Replace('E', 'e');
        return string.Create(CultureInfo.InvariantCulture, $"[lr={rate} clips={ClipCount} updates={UpdateCount}]");
    }
}
